import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../packages/cli/dist/bin.js", import.meta.url));

/** Arguments of Node that run the command line interface as it is published. */
export const builtDormouse: readonly string[] = [bin];

/** Why it cannot be run; undefined: it can. */
export function whyNotBuilt(): string | undefined {
  return existsSync(bin) ? undefined : "there is no build yet: run npx pnpm@12 build";
}
