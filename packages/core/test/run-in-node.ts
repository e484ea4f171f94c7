import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TemporaryFolder } from "./temporary-folder.ts";

const run = promisify(execFile);
const core = new URL("../src/index.ts", import.meta.url).href;

/**
 * Runs a module in a Node process of its own, as hosts run: with Node's resolution and no test runner between.
 *
 * @param body statements that have everything of core as `core`, and whose `print(value)` is the answer
 * @returns what it printed, parsed
 */
export async function runInNode(
  folder: TemporaryFolder,
  body: string,
  flags: readonly string[] = [],
): Promise<unknown> {
  folder.write({
    "main.mjs": `import * as core from ${JSON.stringify(core)};\nconst print = (value) => console.log(JSON.stringify(value));\n${body}\n`,
  });
  const file = join(folder.path, "main.mjs");
  const { stdout } = await run(process.execPath, ["--conditions=@dormouse/source", ...flags, file], {
    env: { PATH: process.env["PATH"] },
  });
  return JSON.parse(stdout) as unknown;
}
