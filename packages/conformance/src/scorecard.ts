import { type Capabilities, contractVersion } from "@dormouse/core";
import type { LeftOutCause, Verdict } from "./conformance-run.ts";
import type { Rule } from "./rule.ts";
import { version } from "./version.ts";

/** What became of one rule in a run. `not-run`: the runner never came to it, as when tests are chosen by name. */
export interface RuleScore {
  /** As in `ruleFacts`. */
  readonly id: string;
  readonly outcome: "passed" | "failed" | LeftOutCause | "not-run";
  /** Why it was left out, or what was expected and seen where it failed. */
  readonly reason?: string;
}

/** Rules of one group, in the order in which they are judged. */
export interface GroupScore {
  readonly name: string;
  readonly rules: readonly RuleScore[];
}

/** What a scaler is worth by the contract's rules: plain data, without times, the same for the same scaler and harness. */
export interface Scorecard {
  /** Name of the plugin. */
  readonly scaler: string;
  /** Major version of the contract that the rules are about. */
  readonly contract: number;
  /** Version of this kit. */
  readonly kit: string;
  /** What the scaler declares; left out where no instance could be opened. */
  readonly capabilities?: Capabilities;
  /** Whether the plugin has a `reconfigure` function. */
  readonly reconfigure: boolean;
  /** In the order in which they are judged. */
  readonly groups: readonly GroupScore[];
}

/** What a scorecard is made from. */
export interface ScorecardFacts {
  readonly scaler: string;
  readonly capabilities: Capabilities | undefined;
  readonly reconfigure: boolean;
  readonly rules: readonly Rule[];
  /** By id of the rule. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

/** Puts verdicts into the order of the rules, group by group. */
export function toScorecard({ scaler, capabilities, reconfigure, rules, verdicts }: ScorecardFacts): Scorecard {
  const groups = Map.groupBy(rules, ({ id }) => groupOf(id));
  return {
    scaler,
    contract: contractVersion,
    kit: version,
    ...(capabilities !== undefined && { capabilities }),
    reconfigure,
    groups: [...groups].map(([name, members]) => ({
      name,
      rules: members.map(({ id }) => ({ id, ...toOutcome(verdicts.get(id)) })),
    })),
  };
}

/** The part of a rule's id before the slash. */
export function groupOf(id: string): string {
  return id.slice(0, id.indexOf("/"));
}

function toOutcome(verdict: Verdict | undefined): Omit<RuleScore, "id"> {
  switch (verdict?.kind) {
    case undefined:
      return { outcome: "not-run" };
    case "passed":
      return { outcome: "passed" };
    case "failed":
      return { outcome: "failed", reason: verdict.error.finding };
    case "left-out":
      return { outcome: verdict.cause, reason: verdict.reason };
  }
}
