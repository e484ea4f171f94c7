import type { ScaleEvent } from "@dormouse/core";
import { decisionReasons } from "./decision-reasons.ts";
import type { SleepAttempt } from "./sleep-attempt.ts";
import { type SleepEnd, sleepEndReasons } from "./sleep-end.ts";

const reasons = { ...decisionReasons, ...sleepEndReasons };

/** Records what came of an attempt, in the journal and in what is remembered of the resource. */
export function recordSleep(attempt: SleepAttempt, result: SleepEnd | number): ScaleEvent {
  const { context, entry, order, steps } = attempt;
  const { clock, journal, logger } = context.options;
  const isDone = typeof result === "number" || isAlreadyDone(attempt, result);
  if (isDone || !wasFree(attempt, result)) context.tracker(entry).attempted(isDone, clock.monotonic());
  const event = journal.record({
    kind: "sleep",
    resource: entry.key,
    by: order.by,
    tookMs: steps.tookMs,
    phases: { ...steps.phases },
    ...(typeof result === "number"
      ? { outcome: "done", reason: order.reason, from: result, to: 0 }
      : describeEnd(attempt, result)),
  });
  logger.debug({ resource: entry.key, by: order.by, outcome: event.outcome, reason: event.reason }, "sleep ended");
  return event;
}

type Ending = Pick<ScaleEvent, "outcome" | "reason"> & Partial<ScaleEvent>;

function describeEnd(attempt: SleepAttempt, end: SleepEnd): Ending {
  if (isAlreadyDone(attempt, end)) return { outcome: "done", reason: "It is asleep already.", from: 0, to: 0 };
  const code = end.code ?? end.reason;
  return { outcome: outcomeOf(attempt, end), reason: describeReason(end), code };
}

/** An operator whose resource sleeps already has what was asked for. */
function isAlreadyDone({ order }: SleepAttempt, { reason }: SleepEnd): boolean {
  return order.kind === "asked" && reason === "asleep";
}

/** It was decided to keep the resource before anything was done to it: that costs no claim, and lets the next attempt come at once. */
function wasFree(attempt: SleepAttempt, result: SleepEnd | number): boolean {
  return typeof result !== "number" && Object.hasOwn(decisionReasons, result.reason) && !hasBegun(attempt);
}

function hasBegun({ steps }: SleepAttempt): boolean {
  return Object.keys(steps.phases).some((step) => step !== "read");
}

/** An operator's sleep that never began was refused. */
function outcomeOf(attempt: SleepAttempt, end: SleepEnd): ScaleEvent["outcome"] {
  if (end.isFailure) return "failed";
  return attempt.order.kind === "asked" && !hasBegun(attempt) ? "refused" : "kept";
}

function describeReason({ reason, about }: SleepEnd): string {
  const { meaning } = reasons[reason];
  return about === undefined ? meaning : `${meaning.slice(0, -1)}: ${about}.`;
}
