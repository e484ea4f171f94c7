import type { RuleFacts } from "./rule.ts";
import { show, Unmet } from "./unmet.ts";

/** Why a scaler does not pass a rule: its id, what was expected, what was seen, and how that is usually mended. */
export class RuleBroken extends Error {
  override readonly name = "RuleBroken";
  readonly rule: string;
  /** What was expected and what was seen, in one line. */
  readonly finding: string;

  constructor({ id, title, mend }: RuleFacts, { expected, seen, cause }: BrokenBy) {
    super(`${id}: ${title}\n  expected: ${expected}\n  seen:     ${seen}\n  mend:     ${mend}`, { cause });
    this.rule = id;
    this.finding = `expected ${expected}; seen ${seen}`;
  }
}

interface BrokenBy {
  readonly expected: string;
  readonly seen: string;
  readonly cause: unknown;
}

/** @param call the call that threw the error, where one did */
export function toRuleBroken(rule: RuleFacts, error: unknown, call: string | undefined): RuleBroken {
  if (error instanceof Unmet) return new RuleBroken(rule, { expected: error.expected, seen: error.seen, cause: error });
  const expected = call === undefined ? "no error" : `${call} to be accepted`;
  return new RuleBroken(rule, { expected, seen: `it rejected with ${show(error)}`, cause: error });
}
