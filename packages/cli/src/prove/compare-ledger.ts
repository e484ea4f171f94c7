import { idsIn } from "./request-id.ts";
import type { Offence } from "./tally.ts";

/** What a service's own list of executed requests says of a run. */
export interface LedgerFindings {
  /** Ids that stand there more than once. */
  readonly doubled: readonly Offence[];
  /** Ids that were answered and do not stand there. */
  readonly missing: readonly Offence[];
}

/**
 * Compares a service's ledger with what was answered. Pure.
 * @param text a JSON array of ids, or lines with an id in each; what is not of this run is passed over
 * @param prefix what the ids of this run begin with
 */
export function compareLedger(text: string, prefix: string, answered: ReadonlySet<string>): LedgerFindings {
  const executed = countExecutions(text, prefix);
  const doubled = [...executed].filter(([, times]) => times > 1);
  const missing = [...answered].filter((id) => !executed.has(id));
  return {
    doubled: doubled.map(([id, times]) => ({ id, what: `doubled: executed ${times} times by the ledger` })),
    missing: missing.map((id) => ({ id, what: "answered, but not in the ledger" })),
  };
}

/** How often each id of a run stands in a ledger; a line counts once for each id in it. */
export function countExecutions(text: string, prefix: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const entry of entriesOf(text)) {
    for (const id of idsIn(entry)) if (id.startsWith(prefix)) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

function entriesOf(text: string): readonly string[] {
  if (!text.trimStart().startsWith("[")) return text.split("\n");
  try {
    return (JSON.parse(text) as readonly unknown[]).map((entry) => JSON.stringify(entry));
  } catch {
    return text.split("\n");
  }
}
