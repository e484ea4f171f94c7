import { z } from "zod";
import type { Milliseconds } from "./clock.ts";

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitMs;

const pattern = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;

/** A duration as people write it, `"250ms"`, `"90s"`, `"5m"`, or `0`; milliseconds in code. */
export const durationSchema = z
  .codec(
    z.union([z.string().regex(/^(\d{1,9}(\.\d{1,3})?(ms|s|m|h|d)|0)$/, 'is no duration: write for example "250ms", "90s", "5m", or 0'), z.literal(0)], {
      error: 'is no duration: write for example "250ms", "90s", "5m", or 0',
    }),
    z.number().nonnegative(),
    { decode: (text) => toMilliseconds(String(text)), encode: formatDuration },
  )
  .meta({ description: 'A duration such as "250ms", "90s", "5m", "1h", or 0' });

function toMilliseconds(text: string): Milliseconds {
  const match = pattern.exec(text);
  if (match === null) return 0;
  return Math.round(Number(match[1]) * unitMs[match[2] as Unit]);
}

/** The shortest exact form: 90,000 gives `"90s"`, 300,000 gives `"5m"`, 0 gives `"0"`. */
export function formatDuration(ms: Milliseconds): string {
  if (ms === 0) return "0";
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (ms % unitMs[unit] === 0) return `${ms / unitMs[unit]}${unit}`;
  }
  return `${ms}ms`;
}
