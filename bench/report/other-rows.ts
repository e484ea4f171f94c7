import type { BurstFigures } from "../measures/measure-burst.ts";
import type { WakeFigures } from "../measures/measure-wakes.ts";
import { atMost, type BenchRow, figures, heading, mustHold } from "./bench-row.ts";
import { asKiB, asMs, asRatio } from "./format-number.ts";

const wakeLimitMs = 15;
const heldLimit = 1.5;
const startLimitMs = 500;
/** How much slower a neighbour's median request may be while a waiting room is full, in ms. */
const neighbourLimitMs = 1;

/** What a wake adds to the service's own start. */
export function wakeRows(wakes: WakeFigures, count: number): readonly BenchRow[] {
  return [
    heading(`A wake (${count} wakes)`),
    figures("cold request as a whole, p50", asMs(wakes.wholeP50)),
    figures("added once the service listens, p50", asMs(wakes.addedP50)),
    atMost("added once the service listens, p95", wakes.addedP95, wakeLimitMs, asMs),
    figures("added once it has a first connection, p50", asMs(wakes.beyondFirstConnectionP50)),
    atMost("added once it has a first connection, p95", wakes.beyondFirstConnectionP95, wakeLimitMs, asMs),
    figures("the method's own zero (starts by hand), p50 and p95", `${asMs(wakes.zeroP50)}, ${asMs(wakes.zeroP95)}`),
  ];
}

/** Many requests held at once. */
export function burstRows(burst: BurstFigures): readonly BenchRow[] {
  const { sent, answered, neighbourBefore, neighbourMeanwhile } = burst;
  const ratio = burst.bytesPerHeld / burst.bareBytesPerHeld;
  return [
    heading(`A burst (${sent} requests at once to one sleeping service)`),
    mustHold(
      "all answered by the service",
      answered === sent,
      [`${answered} of ${sent}`, ...burst.problems].join("; "),
      "all",
    ),
    figures("memory of one held request", asKiB(burst.bytesPerHeld)),
    figures("the same in a bare node:http server", asKiB(burst.bareBytesPerHeld)),
    atMost("memory of one held request, dormouse : bare", ratio, heldLimit, asRatio),
    figures("another service before, p50 and p99", `${asMs(neighbourBefore.p50Ms)}, ${asMs(neighbourBefore.p99Ms)}`),
    figures(
      "another service meanwhile, p50 and p99",
      `${asMs(neighbourMeanwhile.p50Ms)}, ${asMs(neighbourMeanwhile.p99Ms)}`,
    ),
    mustHold(
      "requests to another service refused meanwhile",
      neighbourMeanwhile.failed === 0,
      String(neighbourMeanwhile.failed),
      "0",
    ),
    atMost("another service slower by, p50", neighbourMeanwhile.p50Ms - neighbourBefore.p50Ms, neighbourLimitMs, asMs),
  ];
}

/** The start of the host. */
export function startRows(startMs: number): readonly BenchRow[] {
  return [heading("A start"), atMost("dormouse up, from spawn to listening", startMs, startLimitMs, asMs)];
}
