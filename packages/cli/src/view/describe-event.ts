import type { ScaleEvent } from "@dormouse/core";
import { formatSpan } from "./format-span.ts";

/** One event as one line: when, what, which, by whom, why, how long. Times are of the reader's own zone. */
export function describeEvent(event: ScaleEvent): string {
  const head = `${formatTime(event.at)}  ${event.kind} ${event.outcome}`;
  const resource = event.resource === "" ? "" : `  ${event.resource}`;
  return `${head}${resource}  ${describeDetails(event)}`;
}

function describeDetails({ from, to, tookMs, phases, code, by, reason }: ScaleEvent): string {
  const parts = [
    from === undefined || to === undefined ? undefined : `${from} → ${to}`,
    tookMs === undefined ? undefined : `in ${formatSpan(tookMs)}${describePhases(phases)}`,
    code,
    `by ${by}: ${reason}`,
  ];
  return parts.filter((part) => part !== undefined && part !== "").join(", ");
}

/** ` (claim 3 ms, start 405 ms)`; phases that took no time are left out. */
export function describePhases(phases: ScaleEvent["phases"]): string {
  const shown = Object.entries(phases ?? {}).filter(([, ms]) => ms >= 1);
  return shown.length === 0 ? "" : ` (${shown.map(([name, ms]) => `${name} ${formatSpan(ms)}`).join(", ")})`;
}

/** `14:03:22.417`, and the date in front where it is not today's; in the reader's own zone. */
function formatTime(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
