import { type Capabilities, openScaler, type ScalerPlugin } from "@dormouse/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Declared, Rule } from "../src/rule.ts";
import { rules } from "../src/rules.ts";
import { allCombinations, nameOf, pairwiseCombinations } from "./capability-combinations.ts";
import { idsOf, judgeAll } from "./judge-all.ts";
import { EagerClock } from "./memory/eager-clock.ts";
import { capabilitiesWith, memoryPlugin, memoryTest } from "./memory/memory-test.ts";
import { allMutants } from "./mutants/all-mutants.ts";
import type { Mutant } from "./mutants/mutant.ts";

// Most of what scalers do here is to reject; nobody reads where from.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

describe("a scaler that keeps every rule", () => {
  it.each(allCombinations.map((each) => [nameOf(each), each] as const))("passes with %s", async (_, capabilities) => {
    const verdicts = await judgeAll(memoryTest(new EagerClock(), capabilities));
    const declared = rules.filter((rule) => isDeclared(rule, capabilities)).map(({ id }) => id);
    expect(idsOf(verdicts, "failed")).toEqual([]);
    expect(idsOf(verdicts, "passed")).toEqual(declared);
  });

  it("passes behind the host's guard too", async () => {
    const plugin: ScalerPlugin = {
      ...memoryPlugin,
      create: async (options, context) => openScaler(memoryPlugin, options, context),
    };
    const { reconfigure: _, ...guarded } = plugin;
    const verdicts = await judgeAll(memoryTest(new EagerClock(), capabilitiesWith(), guarded));
    const leftOut = rules.filter(({ requires }) => requires?.includes("reconfigure") === true).map(({ id }) => id);
    expect(idsOf(verdicts, "failed")).toEqual([]);
    expect(idsOf(verdicts, "left-out")).toEqual(leftOut);
  });
});

describe("a scaler that breaks one rule", () => {
  it("is there for every rule", () => {
    const broken = new Set(allMutants.map(({ breaks }) => breaks));
    expect(rules.filter(({ id }) => !broken.has(id)).map(({ id }) => id)).toEqual([]);
  });

  it.each(allMutants)("and $how fails $breaks, and nothing else", async (mutant) => {
    for (const capabilities of pairwiseCombinations) {
      const verdicts = await judgeAll(memoryTest(new EagerClock(), capabilities, mutant.plugin(memoryPlugin)));
      const leftOut = [...verdicts].filter(([, verdict]) => verdict.kind === "left-out" && isUnjudged(verdict.reason));
      const seen = { failed: idsOf(verdicts, "failed"), notJudged: leftOut.map(([id]) => id) };
      expect(seen, nameOf(capabilities)).toEqual(expectedOf(mutant, capabilities));
    }
  });
});

interface Expected {
  readonly failed: string[];
  readonly notJudged: string[];
}

function expectedOf({ breaks, shows }: Mutant, capabilities: Capabilities): Expected {
  const rule = rules.find(({ id }) => id === breaks);
  if (rule === undefined) throw new Error(`a mutant breaks ${breaks}, which is no rule`);
  const isShown = isDeclared(rule, capabilities) && (shows?.(capabilities) ?? true);
  return isShown ? { failed: [breaks], notJudged: dependentsOf(breaks) } : { failed: [], notJudged: [] };
}

/** Rules that build on one, or on one that builds on it. */
function dependentsOf(id: string): string[] {
  const unproven = new Set([id]);
  for (const rule of rules) {
    if (rule.buildsOn?.some((each) => unproven.has(each)) === true) unproven.add(rule.id);
  }
  unproven.delete(id);
  return rules.filter((rule) => unproven.has(rule.id)).map((rule) => rule.id);
}

function isDeclared({ requires = [] }: Rule, { replicas, watch, routing, compareAndSet }: Capabilities): boolean {
  const declared: Record<Declared, boolean> = {
    many: replicas === "many",
    watch,
    routing,
    compareAndSet,
    reconfigure: true,
  };
  return requires.every((each) => declared[each]);
}

function isUnjudged(reason: string): boolean {
  return reason.startsWith("not judged");
}
