import { plainTable } from "../harness/plain-table.ts";
import type { Fault } from "./fault.ts";
import type { Tally } from "./tally.ts";

/** A fault with what became of it, or why it could not be tried. */
export type FaultResult = { readonly fault: Fault } & (
  | { readonly kind: "run"; readonly tally: Tally; readonly tookMs: number }
  | { readonly kind: "not-run"; readonly whyNot: string }
);

const heads = ["fault", "times", "requests", "refused", "cut", "replayed", "lost", "doubled", "longest wait", "took"];

/** Whether nothing of it was lost or doubled, and nothing else was wrong. */
export function isPassed(tally: Tally): boolean {
  return tally.lost === 0 && tally.doubled === 0 && tally.problems.length === 0;
}

/** All results as lines of text. */
export function toFaultTable(results: readonly FaultResult[]): string {
  return plainTable(heads, results.map(toRow), "right");
}

/** What the table has no room for: codes of refusals, what was wrong, and what could not be tried. */
export function toRemarks(results: readonly FaultResult[]): readonly string[] {
  return results.flatMap((result) => {
    if (result.kind === "not-run") return [`${result.fault.name} was not tried: ${result.whyNot}`];
    const { refused, problems } = result.tally;
    const codes = Object.entries(refused).map(([code, count]) => `${code} ${count}`);
    return [
      ...(codes.length > 0 ? [`${result.fault.name} refused: ${codes.join(", ")}`] : []),
      ...problems.map((problem) => `${result.fault.name} FAILED: ${problem}`),
    ];
  });
}

/** The closing line: how many faults passed, how many did not. */
export function toConclusion(results: readonly FaultResult[]): string {
  const tallies = results.flatMap((result) => (result.kind === "run" ? [result.tally] : []));
  const passed = tallies.filter(isPassed).length;
  return `${passed} passed, ${tallies.length - passed} failed`;
}

function toRow(result: FaultResult): readonly string[] {
  const { title } = result.fault;
  if (result.kind === "not-run") return [title, "not tried"];
  const { times, requests, refused, cut, replayed, lost, doubled, longestMs } = result.tally;
  const refusals = Object.values(refused).reduce((sum, count) => sum + count, 0);
  const counts = [times, requests, refusals, cut, replayed, lost, doubled].map(String);
  return [title, ...counts, `${(longestMs / 1_000).toFixed(1)} s`, `${(result.tookMs / 1_000).toFixed(0)} s`];
}
