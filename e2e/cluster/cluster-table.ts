import { plainTable } from "../harness/plain-table.ts";
import type { Finding, Proof } from "./proof.ts";

/** A proof with what it found, or why it could not be tried. */
export type ProofResult = { readonly proof: Proof } & (
  | { readonly kind: "run"; readonly finding: Finding; readonly tookMs: number }
  | { readonly kind: "not-run"; readonly whyNot: string }
);

const heads = ["claim", "rounds", "requests", "lost", "doubled", "took", "holds"];

/** Whether all is as claimed. */
export function holds({ lost, doubled, problems }: Finding): boolean {
  return lost === 0 && doubled === 0 && problems.length === 0;
}

/** All results as lines of text. */
export function toClusterTable(results: readonly ProofResult[]): string {
  return plainTable(heads, results.map(toRow), "right");
}

/** What the table has no room for: figures, what was wrong, and what could not be tried. */
export function toRemarks(results: readonly ProofResult[]): readonly string[] {
  return results.flatMap((result) => {
    const { name } = result.proof;
    if (result.kind === "not-run") return [`${name} was not tried: ${result.whyNot}`];
    const { remarks, problems } = result.finding;
    return [...remarks.map((text) => `${name}: ${text}`), ...problems.map((text) => `${name} FAILED: ${text}`)];
  });
}

/** The closing line. */
export function toConclusion(results: readonly ProofResult[]): string {
  const findings = results.flatMap((result) => (result.kind === "run" ? [result.finding] : []));
  const sum = (of: (finding: Finding) => number): string =>
    String(findings.reduce((total, finding) => total + of(finding), 0));
  const held = findings.filter(holds).length;
  const counts = `${sum((each) => each.requests)} requests, lost ${sum((each) => each.lost)}`;
  const untried = results.length - findings.length;
  return `${counts}; ${String(held)} claims hold, ${String(findings.length - held)} do not, ${String(untried)} not tried`;
}

function toRow(result: ProofResult): readonly string[] {
  const { title } = result.proof;
  if (result.kind === "not-run") return [title, "not tried"];
  const { rounds, requests, lost, doubled } = result.finding;
  const counts = [rounds, requests, lost, doubled].map(String);
  return [title, ...counts, `${(result.tookMs / 1_000).toFixed(0)} s`, holds(result.finding) ? "yes" : "NO"];
}
