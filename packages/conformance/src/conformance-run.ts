import type { Capabilities } from "@dormouse/core";
import { openStage } from "./open-stage.ts";
import { Pace } from "./pace.ts";
import type { Declared, Rule } from "./rule.ts";
import { type RuleBroken, toRuleBroken } from "./rule-broken.ts";
import type { ScalerTest } from "./scaler-test.ts";
import type { Stage } from "./stage.ts";
import type { Hook } from "./test-platform.ts";

/** Why a rule is not proved: the scaler does not declare it, the harness lacks a hook, or what it builds on failed. */
export type LeftOutCause = "not-declared" | "no-hook" | "not-judged";

/** What became of one rule. */
export type Verdict = { readonly kind: "passed" } | LeftOut | { readonly kind: "failed"; readonly error: RuleBroken };

interface LeftOut {
  readonly kind: "left-out";
  readonly cause: LeftOutCause;
  readonly reason: string;
}

/** What is declared, where it is not the name of a capability. */
const names: Partial<Record<Declared, string>> = { many: "many replicas", reconfigure: "a reconfigure function" };

/** Judges one plugin, rule by rule, and remembers what failed: a rule that builds on a failed one says nothing. */
export class ConformanceRun {
  readonly #test: Omit<ScalerTest, "describe" | "it">;
  /** Failed, or not judged because of one that failed. */
  readonly #unproven = new Set<string>();
  readonly #pace = new Pace();
  readonly #undeclared = new Set<Declared>();
  readonly #missing = new Set<Hook>();
  readonly #verdicts = new Map<string, Verdict>();
  #capabilities: Capabilities | undefined;

  constructor(test: Omit<ScalerTest, "describe" | "it">) {
    this.#test = test;
  }

  /** The last verdict on each rule that was judged, by its id. */
  get verdicts(): ReadonlyMap<string, Verdict> {
    return this.#verdicts;
  }

  /** What the scaler declares; undefined until an instance was opened. */
  get capabilities(): Capabilities | undefined {
    return this.#capabilities;
  }

  /** Judges a rule, again where a runner tries a failed test again: the last verdict counts. */
  async judge(rule: Rule): Promise<Verdict> {
    this.#unproven.delete(rule.id);
    const verdict: Verdict = this.#reasonToLeaveOut(rule) ?? (await this.#check(rule));
    if (verdict.kind === "failed") this.#unproven.add(rule.id);
    this.#verdicts.set(rule.id, verdict);
    return verdict;
  }

  #reasonToLeaveOut({ id, buildsOn = [], requires = [], needs = [] }: Rule): LeftOut | undefined {
    const broken = buildsOn.find((each) => this.#unproven.has(each));
    if (broken !== undefined) {
      this.#unproven.add(id);
      return leftOut("not-judged", `not judged: it builds on ${broken}, which does not hold`);
    }
    const undeclared = requires.find((each) => this.#undeclared.has(each));
    if (undeclared !== undefined) {
      return leftOut("not-declared", `left out: the scaler does not declare ${names[undeclared] ?? undeclared}`);
    }
    const missing = needs.filter((each) => this.#missing.has(each));
    return missing.length === 0
      ? undefined
      : leftOut("no-hook", `left out: the harness does not have ${missing.join(", ")}`);
  }

  async #check(rule: Rule): Promise<Verdict> {
    let stage: Stage | undefined;
    let verdict: Verdict;
    try {
      stage = await openStage(this.#test, this.#pace);
      verdict = await this.#checkOn(stage, rule);
    } catch (error) {
      verdict = { kind: "failed", error: toRuleBroken(rule, error, stage?.callOf(error)) };
    }
    return stage === undefined ? verdict : close(stage, rule, verdict);
  }

  async #checkOn(stage: Stage, rule: Rule): Promise<Verdict> {
    this.#learn(rule, stage);
    const leftOut = this.#reasonToLeaveOut(rule);
    if (leftOut !== undefined) return leftOut;
    await stage.putAllToSleep();
    await rule.check(stage);
    return { kind: "passed" };
  }

  #learn({ requires = [], needs = [] }: Rule, stage: Stage): void {
    this.#capabilities = stage.instance.capabilities;
    for (const each of requires) if (!stage.declares(each)) this.#undeclared.add(each);
    for (const each of needs) if (!stage.has(each)) this.#missing.add(each);
  }
}

function leftOut(cause: LeftOutCause, reason: string): LeftOut {
  return { kind: "left-out", cause, reason };
}

/** A harness that cannot tidy up spoils a pass; whatever else was found stays. */
async function close(stage: Stage, rule: Rule, verdict: Verdict): Promise<Verdict> {
  try {
    await stage.close();
    return verdict;
  } catch (error) {
    const failed: Verdict = { kind: "failed", error: toRuleBroken(rule, error, stage.callOf(error)) };
    return verdict.kind === "failed" ? verdict : failed;
  }
}
