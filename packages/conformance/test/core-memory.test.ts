import { type Capabilities, type LocalRef, ScalerError, type ScalerPlugin } from "@dormouse/core";
import { memoryPlugin, MemoryScaler } from "@dormouse/core/testing";
import { describe, expect, it } from "vitest";
import type { ScalerTest } from "../src/scaler-test.ts";
import type { TestPlatform, Undo } from "../src/test-platform.ts";
import { allCombinations, nameOf } from "./capability-combinations.ts";
import { idsOf, judgeAll } from "./judge-all.ts";
import { EagerClock } from "./memory/eager-clock.ts";

const ref = { namespace: "default", name: "web" };
const other = { namespace: "default", name: "db" };

// The tests of every other package rest on this scaler: what it does wrong, they would not see.
describe("the scaler in memory of core's own tests", () => {
  it.each(allCombinations.map((each) => [nameOf(each), each] as const))("passes with %s", async (_, capabilities) => {
    const verdicts = await judgeAll(coreMemoryTest(capabilities));
    const failures = [...verdicts.values()].flatMap((each) => (each.kind === "failed" ? [each.error.message] : []));
    expect(failures).toEqual([]);
    expect(idsOf(verdicts, "passed").length).toBeGreaterThan(70);
  });
});

function coreMemoryTest(capabilities: Capabilities): Omit<ScalerTest, "describe" | "it"> {
  const opened: MemoryScaler[] = [];
  const plugin: ScalerPlugin = {
    ...(memoryPlugin as ScalerPlugin),
    async create(options, context) {
      const scaler = await (memoryPlugin as ScalerPlugin).create(options, context);
      if (scaler instanceof MemoryScaler) opened.push(scaler);
      return scaler;
    },
  };
  const latest = (): MemoryScaler => lastOf(opened);
  return { plugin, clock: new EagerClock(), within: 10_000, open: async () => openPlatform(capabilities, latest) };
}

function openPlatform(capabilities: Capabilities, latest: () => MemoryScaler): TestPlatform {
  return {
    options: { resources: [{ name: "web" }, { name: "db" }], startMs: 20, stopMs: 40, capabilities },
    ref,
    other,
    close: async () => {},
    reach: async ({ id }) =>
      [ref, other].some((each) =>
        latest()
          .resource(each)
          .instances.some((one) => one.id === id && one.state !== "starting"),
      ),
    changeElsewhere: async (each) => latest().changePolicy(each, { idleAfter: 1_000 }),
    breakStart: async (each) => breakStart(latest(), each),
    remove: async (each) => remove(latest(), each),
    endInstance: async () => latest().resource(ref).crash(),
    stallPlatform: async () => beforeCalls(latest(), stalled),
    cutPlatform: async () => beforeCalls(latest(), () => Promise.reject(new ScalerError("SCALER_UNAVAILABLE", "cut"))),
    routedTo: async (each) => latest().resource(each).routedTo,
  };
}

function breakStart(scaler: MemoryScaler, each: LocalRef): Undo {
  scaler.setFailure(each, { code: "SCALER_START_FAILED", message: "exit code 1" });
  return async () => scaler.setFailure(each, undefined);
}

function remove(scaler: MemoryScaler, each: LocalRef): Undo {
  scaler.remove(each);
  return async () => void scaler.add({ name: each.name });
}

function beforeCalls(scaler: MemoryScaler, work: NonNullable<MemoryScaler["beforeCall"]>): Undo {
  scaler.beforeCall = work;
  return async () => {
    scaler.beforeCall = undefined;
  };
}

function stalled(_call: unknown, signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

function lastOf(opened: readonly MemoryScaler[]): MemoryScaler {
  const last = opened.at(-1);
  if (last === undefined) throw new Error("nothing has been opened");
  return last;
}
