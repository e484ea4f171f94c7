import { ScalerError, type ScalerPlugin } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { rules } from "../src/rules.ts";
import type { ScalerTest, TestRunner } from "../src/scaler-test.ts";
import type { TestPlatform } from "../src/test-platform.ts";
import { testScaler } from "../src/test-scaler.ts";
import { EagerClock } from "./memory/eager-clock.ts";
import { capabilitiesWith, memoryPlugin, memoryTest, withoutHooks } from "./memory/memory-test.ts";
import { allMutants } from "./mutants/all-mutants.ts";

describe("testScaler", () => {
  it("registers a test for each rule, below the plugin's name and the rule's group, and one for the scorecard", () => {
    const runner = new RecordingRunner();
    testScaler({ ...runner.functions, ...memoryTest(new EagerClock(), capabilitiesWith()) });
    expect(runner.tests.map(({ path }) => path)).toEqual([
      ...rules.map(({ id, title }) => `scaler memory > ${id.split("/")[0]} > ${id}: ${title}`),
      "scaler memory > scorecard",
    ]);
  });

  it("runs nothing before its tests run", () => {
    const runner = new RecordingRunner();
    testScaler({ ...runner.functions, plugin: memoryPlugin, open: () => expect.unreachable("opened") });
    expect(runner.tests).toHaveLength(rules.length + 1);
  });

  it("skips what the scaler does not declare, with that reason", async () => {
    const skipped = await skippedWith({ capabilities: capabilitiesWith({ watch: false }) });
    expect(skipped).toEqual(rulesWith("watch").map((id) => [id, "left out: the scaler does not declare watch"]));
  });

  it("skips what the harness has no hook for, with the hook's name", async () => {
    const skipped = await skippedWith({ change: (platform) => withoutHooks(platform, ["breakStart"]) });
    expect(skipped).toEqual([
      ["scale/failure-is-told", "left out: the harness does not have breakStart"],
      ["scale/same-count-tries-again", "left out: the harness does not have breakStart"],
    ]);
  });

  it("fails with id, expectation, observation and mend", async () => {
    const outcome = await outcomeOf("scale/zero-keeps-wake-replicas", brokenTest("scale/zero-keeps-wake-replicas"));
    expect(messageOf(outcome).split("\n")).toEqual([
      "scale/zero-keeps-wake-replicas: A count of 0 leaves wakeReplicas alone, however often it is set.",
      "  expected: wakeReplicas 2 after the first setScale(0)",
      "  seen:     1",
      "  mend:     store wakeReplicas only with a count of 1 or more",
    ]);
  });

  it("names the call that hangs", async () => {
    const outcome = await outcomeOf("scale/becomes-ready", memoryWith({ setScale: () => new Promise(() => {}) }));
    expect(messageOf(outcome)).toMatch(
      /expected: setScale\(default\/web, 1\) to settle within 10000 ms\n {2}seen: {5}it is still pending/,
    );
  });

  it("gives what was aborted 2 s to end, or as long as the author says", async () => {
    const [id, test] = ["cancel/settles-promptly", brokenTest("cancel/settles-promptly")];
    expect(messageOf(await outcomeOf(id, test))).toContain("to settle within 2000 ms");
    expect(messageOf(await outcomeOf(id, { ...test, promptly: 5_000 }))).toContain("to settle within 5000 ms");
  });

  it("names the call that rejects, with the plugin's error as the cause", async () => {
    const error = new ScalerError("SCALER_FORBIDDEN", "no");
    const outcome = await outcomeOf("scale/becomes-ready", memoryWith({ setScale: () => Promise.reject(error) }));
    expect(messageOf(outcome)).toMatch(
      /expected: setScale\(default\/web, 1\) to be accepted\n {2}seen: {5}it rejected with ScalerError SCALER_FORBIDDEN no/,
    );
    expect(outcome).toHaveProperty("cause", error);
  });

  it("does not take a method that throws at once for its own failure", async () => {
    const setScale = (): never => {
      throw new TypeError("not yet");
    };
    const outcome = await outcomeOf("scale/becomes-ready", memoryWith({ setScale }));
    expect(messageOf(outcome)).toContain("it rejected with TypeError not yet");
  });
});

describe("a harness that is wrong", () => {
  const changed = (change: (platform: TestPlatform) => TestPlatform): Test => {
    const test = memoryTest(new EagerClock(), capabilitiesWith());
    return { ...test, open: async () => change(await test.open()) };
  };

  it("is told that open() rejects", async () => {
    const test: Test = { plugin: memoryPlugin, open: () => Promise.reject(new Error("no docker here")) };
    const outcome = await outcomeOf("list/refs", test);
    expect(messageOf(outcome)).toContain("it rejected with Error no docker here");
  });

  it("is told that the plugin's schema refuses the options, and is closed", async () => {
    let closed = 0;
    const close = async (): Promise<void> => void (closed += 1);
    const test = changed((platform) => ({ ...platform, options: { platforms: [] }, close }));
    const outcome = await outcomeOf("list/refs", test);
    expect(messageOf(outcome)).toContain("expected: the harness's options to be accepted by the plugin's schema");
    expect(closed).toBe(1);
  });

  it("is told that the scaler does not manage the resource", async () => {
    const test = changed((platform) => ({ ...platform, ref: { namespace: "default", name: "wen" } }));
    const outcome = await outcomeOf("list/refs", test);
    expect(messageOf(outcome)).toContain("expected: the scaler to manage default/wen of the harness");
  });

  it("spoils a pass where it cannot close", async () => {
    const test = changed((platform) => ({ ...platform, close: () => Promise.reject(new Error("still in use")) }));
    const outcome = await outcomeOf("list/refs", test);
    expect(messageOf(outcome)).toMatch(
      /the harness's close\(\) to be accepted\n {2}seen: {5}it rejected with Error still in use/,
    );
  });

  it("spoils a pass where it cannot take back what it did", async () => {
    const test = changed((platform) => ({
      ...platform,
      holdStart: async (ref) => {
        const undo = await platform.holdStart?.(ref);
        return async () => {
          await undo?.();
          throw new Error("the switch is stuck");
        };
      },
    }));
    const outcome = await outcomeOf("scale/resolves-when-accepted", test);
    expect(messageOf(outcome)).toMatch(
      /the undoing of the harness's holdStart to be accepted\n {2}seen: {5}it rejected with Error the switch is stuck/,
    );
  });
});

type Test = Omit<ScalerTest, "describe" | "it">;
type Outcome = { readonly skipped: string } | Error | "passed";

interface RecordedTest {
  readonly path: string;
  readonly run: () => Promise<Outcome>;
}

/** Registers tests as a runner does, and runs them when told to. */
class RecordingRunner {
  readonly tests: RecordedTest[] = [];
  readonly #path: string[] = [];

  readonly functions: TestRunner = {
    describe: (name, body) => {
      this.#path.push(name);
      body();
      this.#path.pop();
    },
    it: (name, _options, body) => {
      this.tests.push({ path: [...this.#path, name].join(" > "), run: () => runBody(body) });
    },
  };
}

async function runBody(body: Parameters<TestRunner["it"]>[2]): Promise<Outcome> {
  let skipped: string | undefined;
  try {
    await body({ skip: (reason) => (skipped = reason) });
    return skipped === undefined ? "passed" : { skipped };
  } catch (error) {
    return error as Error;
  }
}

async function outcomeOf(id: string, test: Test): Promise<Outcome | undefined> {
  const runner = new RecordingRunner();
  testScaler({ ...runner.functions, ...test });
  return runner.tests.find(({ path }) => path.includes(`${id}:`))?.run();
}

function messageOf(outcome: Outcome | undefined): string {
  return outcome instanceof Error ? outcome.message : `no failure: ${JSON.stringify(outcome)}`;
}

interface SkipCase {
  readonly capabilities?: ReturnType<typeof capabilitiesWith>;
  readonly change?: (platform: TestPlatform) => TestPlatform;
}

/** Id and reason of every test that is skipped. */
async function skippedWith({
  capabilities = capabilitiesWith(),
  change = (same) => same,
}: SkipCase): Promise<string[][]> {
  const runner = new RecordingRunner();
  const test = memoryTest(new EagerClock(), capabilities);
  const open = async (): Promise<TestPlatform> => change(await test.open());
  testScaler({ ...runner.functions, ...test, open, onScorecard: () => {} });
  const skipped: string[][] = [];
  for (const [index, { run }] of runner.tests.entries()) {
    const outcome = await run();
    if (outcome !== "passed" && "skipped" in outcome) skipped.push([rules[index]?.id ?? "", outcome.skipped]);
  }
  return skipped;
}

function rulesWith(declared: "watch"): string[] {
  return rules.filter(({ requires }) => requires?.includes(declared) === true).map(({ id }) => id);
}

function brokenTest(id: string): Test {
  const mutant = allMutants.find(({ breaks }) => breaks === id);
  return memoryTest(new EagerClock(), capabilitiesWith(), mutant?.plugin(memoryPlugin));
}

/** A scaler in memory with other members. */
function memoryWith(members: object): Test {
  const plugin: ScalerPlugin = {
    ...(memoryPlugin as ScalerPlugin),
    create: async (options, context) =>
      Object.assign(await (memoryPlugin as ScalerPlugin).create(options, context), members),
  };
  return memoryTest(new EagerClock(), capabilitiesWith(), plugin);
}
