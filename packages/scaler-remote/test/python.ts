import { spawnSync } from "node:child_process";
import { describe } from "vitest";

/** Whether there is a python3 here, for the example in Python. */
export const hasPython = spawnSync("python3", ["--version"], { stdio: "ignore" }).status === 0;

if (!hasPython)
  console.warn("Skipped: there is no python3 here to run the example with; get it with: apt-get install python3");

/** Vitest's `describe` for tests that run the example; skipped where they cannot. */
export const describeWithPython = hasPython ? describe : describe.skip;
