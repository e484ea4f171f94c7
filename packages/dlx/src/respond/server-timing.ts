import type { ColdStart } from "../gate/passage.ts";

/** Whether the request had to wait for a wake, on every forwarded answer. */
export const coldStartHeader = "X-Dormouse-Cold-Start";

/** What a cold request waited for, as a `Server-Timing` value: the phases of the wake, then the whole wait, in ms. */
export function toServerTiming(cold: ColdStart): string {
  const phases = Object.entries(cold.phases).map(([name, ms]) => toMetric(`wake-${name}`, ms));
  return [...phases, toMetric("held", cold.heldMs)].join(", ");
}

function toMetric(name: string, ms: number): string {
  return `${name.replace(/[^A-Za-z0-9-]/g, "-")};dur=${Math.round(ms * 10) / 10}`;
}
