/** A copy with fractions cut to thousandths: times are measured to nanoseconds, and nobody reads these. For JSON.stringify. */
export function roundNumbers(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Math.round(value * 1_000) / 1_000 : value;
}
