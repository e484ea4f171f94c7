import { fileURLToPath } from "node:url";

/** The command that an npm package of this folder installs, as it was published. */
export function binOf(command: string): string {
  return fileURLToPath(new URL(`../node_modules/.bin/${command}`, import.meta.url));
}
