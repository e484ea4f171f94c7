import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { dormouse, plainEnvironment } from "./host.ts";
import { family, familyVariable, type RunningProcess } from "./processes.ts";
import { within } from "./until.ts";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What still runs of it. */
  readonly left: readonly RunningProcess[];
}

/** Runs `dormouse up` in a folder with these files, one of them `dormouse.yaml`, until it ends by itself. */
export async function runUp(files: Readonly<Record<string, string>>): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-up-"));
  const name = basename(folder);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  const env = { ...plainEnvironment(), [familyVariable]: name };
  const child = spawn(process.execPath, [...dormouse, "up", "-c", join(folder, "dormouse.yaml")], { cwd: folder, env });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (text: Buffer) => (output.stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (output.stderr += text.toString()));
  try {
    const ending = once(child, "close") as Promise<[number | null]>;
    const [code] = await within(() => `it ended by itself; it printed ${JSON.stringify(output)}`, ending);
    return { code, ...output, left: family(name) };
  } finally {
    child.kill("SIGKILL");
    for (const { pid } of family(name)) process.kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}
