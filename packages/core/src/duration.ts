import { z } from "zod";
import type { Milliseconds } from "./clock.ts";

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitMs;

const pattern = /^(?:\d{1,11}ms|\d{1,9}(?:\.\d{1,3})?[smhd]|0)$/;
const longestMs = 366 * unitMs.d;

const noDuration = ({ input }: { readonly input?: unknown }): string => {
  if (input === undefined) return 'is missing; write a duration such as "250ms", "90s", "5m" or 0';
  return `${JSON.stringify(input)} is no duration; write a number with its unit, such as "250ms", "90s", "5m", "1h", or 0`;
};

const writtenDuration = z.union([z.string().regex(pattern, { error: noDuration }), z.literal(0)], {
  error: noDuration,
});

function durationCodec(leastMs: Milliseconds) {
  const least = leastMs === 0 ? "must not be negative" : "must be longer than 0";
  return z.codec(writtenDuration, z.number().min(leastMs, least).max(longestMs, "is too long; write at most 366d"), {
    decode: (text) => toMilliseconds(String(text)),
    encode: formatDuration,
  });
}

/** A duration as people write it, `"250ms"`, `"90s"`, `"5m"`, or `0`; whole milliseconds in code, at most 366 days. */
export const durationSchema = durationCodec(0).meta({
  description: 'A duration such as "250ms", "90s", "5m", "1h", or 0',
});

/** The same where 0 would make no sense. */
export const positiveDurationSchema = durationCodec(1).meta({
  description: 'A duration above zero such as "250ms", "90s", "5m", "1h"',
});

function toMilliseconds(text: string): Milliseconds {
  const unit = /[a-z]+$/.exec(text)?.[0];
  return unit === undefined ? 0 : Math.round(Number.parseFloat(text) * unitMs[unit as Unit]);
}

/** The shortest exact form: 90,000 gives `"90s"`, 300,000 gives `"5m"`, 0 gives `"0"`. */
export function formatDuration(ms: Milliseconds): string {
  if (ms === 0) return "0";
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (ms % unitMs[unit] === 0) return `${ms / unitMs[unit]}${unit}`;
  }
  return `${ms}ms`;
}
