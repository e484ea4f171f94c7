import type { Milliseconds } from "@dormouse/core";

/** The header `Retry-After`, seconds or a date (RFC 9110, section 10.2.3), as ms from now; undefined where it is neither. */
export function parseRetryAfter(header: string | undefined, now: number): Milliseconds | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const date = header.trim().endsWith("GMT") ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
