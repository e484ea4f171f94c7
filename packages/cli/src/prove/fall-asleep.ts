import { formatDuration, type Milliseconds } from "@dormouse/core";
import type { NextChange, WhyReport } from "../admin/why-report.ts";
import { describeNext } from "../view/render-why.ts";
import { formatSpan } from "../view/format-span.ts";
import { hasSlept } from "./resource-watch.ts";
import { NotProven, type Stage } from "./stage.ts";

/** Time between two looks, in ms: seldom while it is far from a sleep, often when one is about to begin. */
const lookEveryMs = 100;
const lookOftenMs = 20;

/** A sleep that comes this soon, in ms, is about to begin. */
const soonMs = 1_000;

/**
 * Sends nothing until the resource has fallen asleep by itself.
 * @param teases whether one request goes out at about the moment of the sleep: it meets the sleep, or it keeps the resource awake for another while
 * @throws NotProven where that takes too long, AdminFailure where the host is gone
 */
export async function fallAsleep(stage: Stage, teases: boolean): Promise<void> {
  const { watch, clock, patienceMs, tell } = stage;
  const before = await watch.look();
  const deadline = clock.monotonic() + patienceMs;
  let said = "";
  let isToTease = teases;
  for (let now = before; !hasSlept(before, now); now = await watch.look()) {
    checkPatience(now.next, deadline - clock.monotonic(), patienceMs);
    if (kindOf(now.next) !== said) tell(`waits until it sleeps by itself: it ${describeNext(now.next)}`);
    said = kindOf(now.next);
    if (isToTease && isSoon(now)) {
      isToTease = false;
      tell("sends a request at about the moment of the sleep");
      void stage.traffic.send(Math.random() * (soonMs + 200));
    }
    await watch.pause(isSoon(now) ? lookOftenMs : lookEveryMs);
  }
}

function isSoon({ next }: WhyReport): boolean {
  return next.kind === "sleep" && next.inMs <= soonMs;
}

/** What of a next change is worth a new line. */
function kindOf(next: NextChange): string {
  return next.kind === "stay" ? next.until : next.kind;
}

function checkPatience(next: NextChange, leftMs: Milliseconds, patienceMs: Milliseconds): void {
  if (next.kind === "sleep" && next.inMs > leftMs) {
    throw new NotProven(
      `it sleeps in ${formatSpan(next.inMs)} at the earliest, and --patience is ${formatDuration(patienceMs)}: give more of it, or use --force`,
    );
  }
  if (leftMs <= 0)
    throw new NotProven(`it did not sleep within --patience ${formatDuration(patienceMs)}: it ${describeNext(next)}`);
}
