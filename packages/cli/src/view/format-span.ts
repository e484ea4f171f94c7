import type { Milliseconds } from "@dormouse/core";

const units = [
  { name: "d", ms: 86_400_000 },
  { name: "h", ms: 3_600_000 },
  { name: "min", ms: 60_000 },
  { name: "s", ms: 1_000 },
] as const;

/** A length of time for people, to two or three digits: `412 ms`, `3.2 s`, `42 s`, `5 min`, `2.5 h`. */
export function formatSpan(ms: Milliseconds): string {
  const whole = Math.max(0, Math.round(ms));
  const unit = units.find((each) => whole >= each.ms);
  if (unit === undefined) return `${whole} ms`;
  const count = whole / unit.ms;
  const text = count < 9.95 ? count.toFixed(1).replace(/\.0$/, "") : count.toFixed(0);
  return `${text} ${unit.name}`;
}

/** How long ago a moment was: `now`, `18 s ago`. Both are epoch ms; a moment to come counts as now. */
export function formatAgo(at: number, now: number): string {
  const ms = now - at;
  return ms < 1_000 ? "now" : `${formatSpan(ms)} ago`;
}
