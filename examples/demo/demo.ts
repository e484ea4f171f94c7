import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runDemo } from "./run-demo.ts";

const usage = `Usage: npx pnpm@12 demo [--keep]

Puts four servers from npm, unchanged, behind Dormouse; lets them sleep and wakes them by real traffic.
Ends by itself: 0 if every claim held, 1 if not.

  --keep   leave everything up at the end, until Ctrl-C
`;

const { values } = parseArgs({
  options: { keep: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});
if (values.help) process.stdout.write(usage);
else process.exitCode = await runInFolder(values.keep);

async function runInFolder(keep: boolean): Promise<number> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort(new Error(name)));
  const folder = mkdtempSync(join(tmpdir(), "dormouse-demo-"));
  try {
    return await runDemo({ folder, keep, stream: process.stdout, signal: stop.signal });
  } catch (error) {
    process.stderr.write(stop.signal.aborted ? "\nstopped; nothing is left running\n" : `${String(error)}\n`);
    return stop.signal.aborted ? 130 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
