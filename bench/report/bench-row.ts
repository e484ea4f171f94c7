/** Whether a budget was kept: `not measured` where the machine lacks what it is measured against. */
type Verdict = "within" | "MISSED" | "not measured";

/** A line of the table. */
export type BenchRow =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "figures"; readonly what: string; readonly measured: string }
  | {
      readonly kind: "budget";
      readonly what: string;
      readonly measured: string;
      readonly budget: string;
      readonly verdict: Verdict;
    };

export function heading(text: string): BenchRow {
  return { kind: "heading", text };
}

/** Something worth knowing that has no budget. */
export function figures(what: string, measured: string): BenchRow {
  return { kind: "figures", what, measured };
}

/** A number that must not be above its limit; anything that is no number has missed it. */
export function atMost(what: string, value: number, limit: number, print: (value: number) => string): BenchRow {
  const verdict = value <= limit ? "within" : "MISSED";
  return { kind: "budget", what, measured: print(value), budget: `<= ${print(limit)}`, verdict };
}

/** A condition that must hold. */
export function mustHold(what: string, holds: boolean, measured: string, budget: string): BenchRow {
  return { kind: "budget", what, measured, budget, verdict: holds ? "within" : "MISSED" };
}

/** A budget that could not be looked at here, and why. */
export function notMeasured(what: string, limit: string, why: string): BenchRow {
  return { kind: "budget", what, measured: why, budget: `<= ${limit}`, verdict: "not measured" };
}
