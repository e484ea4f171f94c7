import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestPlatform, testScaler } from "@dormouse/conformance";
import { it } from "vitest";
import { scaler as plugin } from "../src/index.ts";
import { exampleFolder } from "./open-remote.ts";
import { describeWithPython } from "./python.ts";

// Left out: the example's servers are in memory of its program, so that nobody changes, removes or breaks one from outside.
// The platform is processes, beside which a small machine may be late.
testScaler({ describe: describeWithPython, it, plugin, open, promptly: 10_000 });

/** A program of its own for each rule, and a hand on it: stopped by a signal it stalls, killed and kept down it is cut. */
async function open(): Promise<TestPlatform> {
  const folder = await mkdtemp(join(tmpdir(), "dormouse-remote-"));
  const down = join(folder, "down");
  const run = 'echo $$ > "$0/pid"; [ ! -e "$0/down" ] && exec python3 "$1"';
  const signal = async (name: NodeJS.Signals): Promise<void> =>
    void process.kill(Number(await readFile(join(folder, "pid"), "utf8")), name);
  return {
    options: {
      exec: { command: ["sh", "-c", run, folder, join(exampleFolder, "threads.py")] },
      options: { resources: { one: {}, other: { idleAfter: "1m" } } },
    },
    ref: { namespace: "default", name: "one" },
    other: { namespace: "default", name: "other" },
    close: () => rm(folder, { recursive: true, force: true }),
    async stallPlatform() {
      await signal("SIGSTOP");
      return () => signal("SIGCONT");
    },
    async cutPlatform() {
      await writeFile(down, "");
      await signal("SIGKILL");
      return () => rm(down, { force: true });
    },
  };
}
