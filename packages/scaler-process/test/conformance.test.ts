import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestPlatform, testScaler, type Undo } from "@dormouse/conformance";
import type { LocalRef } from "@dormouse/core";
import { describe, it } from "vitest";
import { scaler as plugin } from "../src/index.ts";
import { marked, node, refOf } from "./test-scaler.ts";

// Left out: nobody but the scaler knows these resources, so that nothing changes, removes, stalls or cuts them elsewhere.
// The platform is processes, beside which a small machine may be late.
testScaler({ describe, it, plugin, open, promptly: 10_000 });

async function open(): Promise<TestPlatform> {
  const folder = await mkdtemp(join(tmpdir(), "dormouse-conformance-"));
  const [one, other] = await Promise.all(["one", "other"].map((name) => resource(folder, name)));
  const stateDir = join(folder, "state");
  return {
    options: { stateDir, resources: [one, other] },
    optionsWithoutOther: { stateDir, resources: [one] },
    ref: refOf("one"),
    other: refOf("other"),
    close: () => rm(folder, { recursive: true, force: true }),
    breakStart: (ref) => turnOn(folder, ref, "broken"),
    holdStart: (ref) => turnOn(folder, ref, "held"),
    endInstance: async ({ id }) => (await marked(id)).forEach((pid) => process.kill(pid, "SIGKILL")),
  };
}

async function resource(folder: string, name: string): Promise<object> {
  const switches = join(folder, name);
  await mkdir(switches);
  return { name, command: node("switched.ts"), env: { SWITCHES: switches } };
}

async function turnOn(folder: string, { name }: LocalRef, which: "broken" | "held"): Promise<Undo> {
  const file = join(folder, name, which);
  await writeFile(file, "");
  return () => rm(file, { force: true });
}
