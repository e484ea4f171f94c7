import { contractVersion } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { rules } from "../src/rules.ts";
import type { RunningTest, ScalerTest } from "../src/scaler-test.ts";
import type { TestPlatform } from "../src/test-platform.ts";
import { formatScorecard, type RuleScore, type Scorecard, scorecardBadge, testScaler } from "../src/index.ts";
import { EagerClock } from "./memory/eager-clock.ts";
import { capabilitiesWith, memoryPlugin, memoryTest, withoutHooks } from "./memory/memory-test.ts";
import { allMutants } from "./mutants/all-mutants.ts";

const faithful = memoryTest(new EagerClock(), capabilitiesWith());

describe("the scorecard", () => {
  it("has every rule in its group, what the scaler declares, and both versions", async () => {
    const card = await scorecardOf(faithful);
    expect(card).toMatchObject({
      scaler: "memory",
      contract: contractVersion,
      kit: manifest.version,
      capabilities: capabilitiesWith(),
      reconfigure: true,
    });
    expect(scoresOf(card)).toEqual(rules.map(({ id }) => ({ id, outcome: "passed" })));
    expect(card.groups.map(({ name }) => name)).toEqual([...new Set(rules.map(({ id }) => id.split("/")[0]))]);
  });

  it("says why a rule was left out: not declared, or without a hook", async () => {
    const scaler = memoryTest(new EagerClock(), capabilitiesWith({ routing: false }));
    const open = async (): Promise<TestPlatform> => withoutHooks(await scaler.open(), ["breakStart"]);
    const card = await scorecardOf({ ...scaler, open });
    expect(scoreOf(card, "routing/of-nothing")).toEqual({
      id: "routing/of-nothing",
      outcome: "not-declared",
      reason: "left out: the scaler does not declare routing",
    });
    expect(scoreOf(card, "scale/failure-is-told")).toEqual({
      id: "scale/failure-is-told",
      outcome: "no-hook",
      reason: "left out: the harness does not have breakStart",
    });
  });

  it("says what a broken rule expected and saw, and what was not judged for it", async () => {
    const card = await scorecardOf(broken("list/no-resource-twice"));
    expect(scoreOf(card, "list/no-resource-twice")).toHaveProperty("outcome", "failed");
    expect(scoreOf(card, "list/no-resource-twice")?.reason).toContain("expected each resource once");
    expect(scoreOf(card, "guard/serves-behind-it")).toMatchObject({ outcome: "not-judged" });
  });

  it("takes the last verdict where a runner tries a failed rule again", async () => {
    let isBroken = true;
    const flaky = {
      ...faithful,
      open: async (): Promise<TestPlatform> => {
        if (isBroken) throw new Error("not yet");
        return faithful.open();
      },
    };
    const [first, ...others] = registered(flaky);
    await expect(first?.run()).rejects.toThrow("not yet");
    isBroken = false;
    await first?.run();
    for (const { run } of others) await run();
    expect(others.at(-1)?.cards.at(-1)?.groups[0]?.rules[0]?.outcome).toBe("passed");
    expect(scoresOf(others.at(-1)?.cards.at(-1)).filter(({ outcome }) => outcome !== "passed")).toEqual([]);
  });

  it("tells of rules that no test ran for, and calls the run unfinished", async () => {
    const tests = registered(faithful);
    await tests[0]?.run();
    await tests.at(-1)?.run();
    const card = tests.at(-1)?.cards.at(-1);
    expect(scoresOf(card).map(({ outcome }) => outcome)).toEqual(["passed", ...rules.slice(1).map(() => "not-run")]);
    expect(scorecardBadge(card!)).toContain("run_unfinished-lightgrey");
  });

  it("is given to reporters as data, where the runner's tests carry notes", async () => {
    const notes: unknown[] = [];
    const annotate: RunningTest["annotate"] = (message, type, { contentType, body }) => {
      const data: unknown = JSON.parse(Buffer.from(body, "base64").toString());
      notes.push({ message, type, contentType, data });
    };
    const card = await scorecardOf(faithful, { annotate });
    expect(notes).toEqual([
      { message: scorecardBadge(card), type: "dormouse-scorecard", contentType: "application/json", data: card },
    ]);
  });

  it("fails the last test by what onScorecard throws", async () => {
    const onScorecard = (): never => {
      throw new Error("I want all hooks");
    };
    await expect(
      registered({ ...faithful, onScorecard })
        .at(-1)
        ?.run(),
    ).rejects.toThrow("I want all hooks");
  });
});

describe("the badge", () => {
  it("counts what was proved against what the scaler declares", async () => {
    const scaler = memoryTest(new EagerClock(), capabilitiesWith({ routing: false }));
    const asked = rules.filter(({ requires }) => requires?.includes("routing") !== true).length;
    expect(scorecardBadge(await scorecardOf(scaler))).toBe(
      `![dormouse contract 1: ${asked} of ${asked} rules]` +
        `(https://img.shields.io/badge/dormouse_contract_1-${asked}_of_${asked}_rules-brightgreen)`,
    );
  });

  it("does not shine where a hook is missing, and is red where a rule is broken", async () => {
    const open = async (): Promise<TestPlatform> => withoutHooks(await faithful.open(), ["breakStart"]);
    expect(scorecardBadge(await scorecardOf({ ...faithful, open }))).toContain(
      `${rules.length - 2}_of_${rules.length}_rules-green)`,
    );
    expect(scorecardBadge(await scorecardOf(broken("list/no-resource-twice")))).toContain(
      `breaks_1_of_${rules.length}_rules-red)`,
    );
  });
});

it("the printed scorecard has counts by group, reasons with their rules, and the badge", async () => {
  const card: Scorecard = {
    scaler: "acme",
    contract: 1,
    kit: "1.2.3",
    capabilities: { replicas: "one", watch: true, routing: false, compareAndSet: true, settleWithinMs: 50 },
    reconfigure: false,
    groups: [
      { name: "shape", rules: [{ id: "shape/name", outcome: "passed" }] },
      {
        name: "routing",
        rules: [
          { id: "routing/a", outcome: "not-declared", reason: "left out: the scaler does not declare routing" },
          { id: "routing/b", outcome: "not-declared", reason: "left out: the scaler does not declare routing" },
          { id: "routing/c", outcome: "failed", reason: "expected 1; seen 2" },
        ],
      },
    ],
  };
  expect(formatScorecard(card).split("\n")).toEqual([
    "scorecard of acme: contract 1, kit 1.2.3",
    "  declares one replica, watch, compareAndSet; settles within 50 ms",
    "  group    passed  failed  left out",
    "  shape         1       0         0",
    "  routing       0       1         2",
    "  all           1       1         2",
    "  left out: the scaler does not declare routing",
    "    routing/a, routing/b",
    "  failed: expected 1; seen 2",
    "    routing/c",
    "  badge: ![dormouse contract 1: breaks 1 of 2 rules](https://img.shields.io/badge/dormouse_contract_1-breaks_1_of_2_rules-red)",
  ]);
});

type Test = Omit<ScalerTest, "describe" | "it">;

interface Registered {
  readonly run: (test?: Partial<RunningTest>) => Promise<void>;
  readonly cards: Scorecard[];
}

function registered(test: Test): Registered[] {
  const cards: Scorecard[] = [];
  const tests: Registered[] = [];
  testScaler({
    onScorecard: (card) => void cards.push(card),
    ...test,
    describe: (_, body) => body(),
    it: (_name, _options, body) => {
      tests.push({ cards, run: (own) => body({ skip: () => {}, ...own }) });
    },
  });
  return tests;
}

/** Runs every rule, and answers what the last test reports. */
async function scorecardOf(test: Test, running: Partial<RunningTest> = {}): Promise<Scorecard> {
  const tests = registered(test);
  for (const { run } of tests) await run(running).catch(() => {});
  const card = tests.at(-1)?.cards.at(-1);
  if (card === undefined) throw new Error("no scorecard was reported");
  return card;
}

function scoresOf(card: Scorecard | undefined): RuleScore[] {
  return card?.groups.flatMap((group) => group.rules) ?? [];
}

function scoreOf(card: Scorecard, id: string): RuleScore | undefined {
  return scoresOf(card).find((score) => score.id === id);
}

function broken(id: string): Test {
  const mutant = allMutants.find(({ breaks }) => breaks === id);
  return memoryTest(new EagerClock(), capabilitiesWith(), mutant?.plugin(memoryPlugin));
}
