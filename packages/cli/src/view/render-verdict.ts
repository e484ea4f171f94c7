import type { Latency, Verdict } from "../prove/verdict.ts";
import { formatSpan } from "./format-span.ts";
import type { Paint } from "./paint.ts";
import { type Column, renderTable } from "./render-table.ts";

export interface RenderVerdictOptions {
  /** Characters in a line. */
  readonly width: number;
  readonly paint: Paint;
}

/** What a proof has shown: counts, times, and the verdict with what speaks against it. */
export function renderVerdict(verdict: Verdict, { width, paint }: RenderVerdictOptions): string {
  const blocks = [
    `${paint("bold", verdict.resource)} by ${verdict.entrance} (Host: ${verdict.host}), ids in ${verdict.echo}`,
    renderTable(right("SENT", "ANSWERED", "REFUSED", "LOST", "SWAPPED", "DOUBLED"), [countsOf(verdict)], width),
    renderTable(right("CYCLES", "ASLEEP", "WOKEN", "SLEEPS REFUSED"), [cyclesOf(verdict)], width),
    renderTable(
      [{ title: "ANSWERS", dispensable: 0 }, ...right("COUNT", "P50", "P95")],
      [latencyRow("cold", verdict.coldMs), latencyRow("warm", verdict.warmMs)],
      width,
    ),
    [...detailsOf(verdict), conclusionOf(verdict, paint)].join("\n"),
  ];
  return blocks.join("\n\n");
}

function right(...titles: readonly string[]): readonly Column[] {
  return titles.map((title, index) => ({ title, align: "right", dispensable: index }));
}

function countsOf({ sent, answered, refused, lost, swapped, doubled }: Verdict): readonly string[] {
  return [
    ...[sent, answered, sum(refused), lost].map(String),
    swapped === undefined ? "unseen (--echo none)" : String(swapped),
    doubled === undefined ? "unseen (no --ledger)" : String(doubled),
  ];
}

function cyclesOf({ cycles: { asked, asleep, woken, sleepsRefused } }: Verdict): readonly string[] {
  return [asked, asleep, woken, sleepsRefused].map(String);
}

function latencyRow(name: string, { count, p50, p95 }: Latency): readonly string[] {
  return [name, String(count), ...[p50, p95].map((ms) => (ms === undefined ? "-" : formatSpan(ms)))];
}

function detailsOf({ phasesMs, statuses, refused, abandoned, missing = 0 }: Verdict): readonly string[] {
  const phases = Object.entries(phasesMs).map(([name, ms]) => `${name} ${formatSpan(ms)}`);
  const details = [
    ["cold requests waited for", phases.length === 0 ? "" : `${phases.join(", ")} (mean)`],
    ["answered with", listCounts(statuses)],
    ["refused with", listCounts(refused)],
    ["answered, but not in the ledger", missing === 0 ? "" : String(missing)],
    ["open at the end, given up", abandoned === 0 ? "" : String(abandoned)],
  ];
  return details.filter(([, text]) => text !== "").map((detail) => detail.join(": "));
}

function listCounts(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} × ${count}`)
    .join(", ");
}

function conclusionOf(verdict: Verdict, paint: Paint): string {
  const { offences, reasons } = verdict;
  const style = verdict.verdict === "held" ? "green" : "red";
  return [
    ...offences.map(({ id, what }) => `  ${id} ${what}`),
    ...reasons.map((reason) => `  ${reason}`),
    `${paint(style, verdict.verdict)}: ${meaningOf(verdict)}`,
  ].join("\n");
}

function meaningOf({ verdict, sent, swapped, doubled }: Verdict): string {
  if (verdict === "broken") return "requests did not end as they should; the first of them are named above";
  if (verdict === "unproven") return "nothing went wrong, and too little happened to prove anything";
  const unseen = [
    ...(swapped === undefined ? ["swapped answers"] : []),
    ...(doubled === undefined ? ["double executions"] : []),
  ];
  const limits = unseen.length === 0 ? "" : ` (${unseen.join(" and ")} cannot be seen from outside)`;
  return `each of ${sent} requests ended once, answered by its service or refused with a code${limits}`;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
