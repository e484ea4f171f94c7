import type { Milliseconds } from "@dormouse/core";

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** A duration as Go writes it (`15.3s`, `1m30s`) in ms; undefined where it is none. https://pkg.go.dev/time#ParseDuration */
export function parseGoDuration(text: unknown): Milliseconds | undefined {
  if (typeof text !== "string" || text.length > 64) return undefined;
  if (text === "0") return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g);
  return [...parts].reduce((sum, [, number, unit]) => sum + Number(number) * (unitMs[unit ?? ""] ?? 0), 0);
}
