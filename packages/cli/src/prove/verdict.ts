import type { Milliseconds } from "@dormouse/core";
import type { LedgerFindings } from "./compare-ledger.ts";
import { percentile } from "./percentile.ts";
import type { CycleCounts } from "./run-cycles.ts";
import type { Offence, Tally } from "./tally.ts";

/** How long some answers took, in ms. */
export interface Latency {
  readonly count: number;
  readonly p50?: Milliseconds;
  readonly p95?: Milliseconds;
}

/** What a run has shown, as `-o json` prints it. */
export interface Verdict {
  /**
   * `held`: each request ended once, over as many sleeps and wakes as were asked for. `broken`: some did not. `unproven`: none is
   * known that did not, but there were too few sleeps and wakes.
   */
  readonly verdict: "held" | "broken" | "unproven";
  /** Printed ref. */
  readonly resource: string;
  /** URL that was asked. */
  readonly entrance: string;
  readonly host: string;
  /** Where answers had their ids, in words. */
  readonly echo: string;
  readonly sent: number;
  readonly answered: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Refusals by code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly lost: number;
  /** Answers that belong to another request; left out where nobody could see. */
  readonly swapped?: number;
  /** Requests that were executed more than once; left out without a ledger. */
  readonly doubled?: number;
  /** Requests that were answered, and that the ledger does not know; left out without one. */
  readonly missing?: number;
  /** Open when the run was ended. */
  readonly abandoned: number;
  readonly cycles: CycleCounts & { readonly asked: number };
  readonly coldMs: Latency;
  readonly warmMs: Latency;
  /** Mean of each thing that cold requests waited for. */
  readonly phasesMs: Readonly<Record<string, Milliseconds>>;
  /** The first requests that speak against it, and what came of them. */
  readonly offences: readonly Offence[];
  /** Why it is no more than this. */
  readonly reasons: readonly string[];
}

/** What a verdict is made from. */
export interface Run {
  readonly resource: string;
  readonly entrance: string;
  readonly host: string;
  readonly echo: string;
  readonly seesSwaps: boolean;
  readonly tally: Tally;
  /** Left out where the service gives none. */
  readonly ledger?: LedgerFindings | undefined;
  readonly asked: number;
  readonly cycles: CycleCounts;
  /** Why the run ended before its time, or without its ledger. */
  readonly problems: readonly string[];
}

/** Offences that a verdict names. */
const namedOffences = 10;

/** What a run has shown. Pure. */
export function judgeRun(run: Run): Verdict {
  const { tally, ledger, resource, entrance, host, echo, seesSwaps } = run;
  const offences = [...tally.offences, ...(ledger?.doubled ?? []), ...(ledger?.missing ?? [])];
  const reasons = reasonsOf(run);
  const verdict = offences.length > 0 ? "broken" : reasons.length > 0 ? "unproven" : "held";
  return {
    verdict,
    resource,
    entrance,
    host,
    echo,
    sent: tally.sent,
    answered: tally.answered,
    statuses: Object.fromEntries(tally.statuses),
    refused: Object.fromEntries(tally.refused),
    lost: tally.lost,
    ...(seesSwaps && { swapped: tally.swapped }),
    ...(ledger !== undefined && { doubled: ledger.doubled.length, missing: ledger.missing.length }),
    abandoned: tally.abandoned,
    cycles: { asked: run.asked, ...run.cycles },
    coldMs: latencyOf(tally.coldMs),
    warmMs: latencyOf(tally.warmMs),
    phasesMs: tally.phasesMs,
    offences: offences.slice(0, namedOffences),
    reasons,
  };
}

function reasonsOf({ problems, asked, cycles, tally }: Run): readonly string[] {
  const isComplete = cycles.asleep >= asked && cycles.woken >= asked;
  return [
    ...problems,
    ...(isComplete || problems.length > 0
      ? []
      : [`it slept ${cycles.asleep} and woke ${cycles.woken} of ${asked} times`]),
    ...(isComplete && tally.coldMs.length === 0 ? ["no answer was cold: all wakes were somebody else's"] : []),
  ];
}

function latencyOf(times: readonly Milliseconds[]): Latency {
  const p50 = percentile(times, 0.5);
  const p95 = percentile(times, 0.95);
  return { count: times.length, ...(p50 !== undefined && { p50 }), ...(p95 !== undefined && { p95 }) };
}
