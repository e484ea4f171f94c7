import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Variables that a script is given on top of the environment. */
export type ScriptVariables = Readonly<Record<string, string>>;

/**
 * Runs a script of this folder and gives what it printed.
 *
 * @param parameters its arguments
 * @throws Error with the last lines that it wrote, where it does not end with 0
 */
export async function runScript(
  name: string,
  variables: ScriptVariables = {},
  parameters: readonly string[] = [],
): Promise<string> {
  const child = spawn(pathOf(name), parameters, {
    env: { ...process.env, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  let complaints = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints = (complaints + text).slice(-8_000)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`${name} ended with ${String(code)}: ${complaints || printed.slice(-8_000)}`);
  return printed;
}

/** Runs a script of this folder to its end, for those who may not wait: a process that is being ended. */
export function runScriptNow(name: string, variables: ScriptVariables = {}): void {
  spawnSync(pathOf(name), { env: { ...process.env, ...variables }, stdio: "ignore", timeout: 60_000 });
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
