import type { Milliseconds } from "@dormouse/core";
import type { TargetPolicy } from "./target-observation.ts";

/*
 * What one process remembers of one resource that is scaled to a target, as plain data; every function gives a new one.
 * Moments are monotonic ms of that process. Nothing here is needed for safety: a process that starts anew begins with
 * the count it finds, as if that had been wanted all along until a moment ago.
 */

/** More changes than these are added up, so that a history is bounded whatever its periods. */
const mostChanges = 120;
/** The same of counts that were wanted. */
const mostWanted = 120;

/** A count that was wanted. */
interface WantedCount {
  readonly at: Milliseconds;
  readonly replicas: number;
}

/** A change of the count by anybody. */
interface CountChange {
  readonly at: Milliseconds;
  readonly added: number;
  readonly removed: number;
}

/** What is remembered of one resource between decisions. */
export interface TargetHistory {
  /** Since when nothing was missed. */
  readonly since: Milliseconds;
  /** The count at the last look. */
  readonly desired: number;
  /** When the count last changed, or this history began. */
  readonly changedAt: Milliseconds;
  /** When the last usable value was seen, or this history began. */
  readonly seenAt: Milliseconds;
  /** The most that was wanted in the downward window: later ones that are lower. */
  readonly highest: readonly WantedCount[];
  /** The least that was wanted in the upward window: later ones that are higher. */
  readonly lowest: readonly WantedCount[];
  readonly changes: readonly CountChange[];
  /** Direction of the last change by a target. */
  readonly direction?: "up" | "down";
  /** When a target last changed the count the other way than before. */
  readonly reversals: readonly Milliseconds[];
}

/** Begins with the count as it is: the only one that has been wanted so far. */
export function startTargetHistory(desired: number, now: Milliseconds): TargetHistory {
  const wanted = [{ at: now, replicas: desired }];
  return {
    since: now,
    desired,
    changedAt: now,
    seenAt: now,
    highest: wanted,
    lowest: wanted,
    changes: [],
    reversals: [],
  };
}

/**
 * Takes in the count as it is now. One that this process did not write was somebody's wish: it counts as a change, and
 * nothing that was wanted before it counts any more.
 */
export function seeCount(history: TargetHistory, desired: number, now: Milliseconds): TargetHistory {
  if (desired === history.desired) return history;
  return beginAnew(withChange(history, desired, now), now);
}

/** Takes in that a target changed the count. */
export function recordScale(history: TargetHistory, to: number, now: Milliseconds): TargetHistory {
  if (to === history.desired) return history;
  const direction = to > history.desired ? "up" : "down";
  const isReversal = history.direction !== undefined && history.direction !== direction;
  const reversals = isReversal ? [...history.reversals, now].slice(-100) : history.reversals;
  return { ...withChange(history, to, now), direction, reversals };
}

/** Takes in a count that was wanted, and forgets what the policy does not look back to. */
export function seeWanted(
  history: TargetHistory,
  replicas: number,
  policy: TargetPolicy,
  now: Milliseconds,
): TargetHistory {
  const { scaleUp, scaleDown, target } = policy;
  const gapMs = now - history.seenAt;
  // Nobody knows what was wanted meanwhile: the count as it was.
  const known = target !== undefined && gapMs > target.window ? beginAnew(history, now) : history;
  const wanted = { at: now, replicas };
  return {
    ...known,
    seenAt: now,
    highest: withWanted(known.highest, wanted, now - scaleDown.stabilizationWindow, (one, other) => one <= other),
    lowest: withWanted(known.lowest, wanted, now - scaleUp.stabilizationWindow, (one, other) => one >= other),
    changes: within(known.changes, now - longestPeriodMs(policy)),
  };
}

/** Takes in that a usable value was there, though it says nothing of the count as it is. */
export function seeValue(history: TargetHistory, now: Milliseconds): TargetHistory {
  return now - history.seenAt > 0 ? { ...history, seenAt: now } : history;
}

/** How often a target changed the count the other way within a time. */
export function countReversals({ reversals }: TargetHistory, windowMs: Milliseconds, now: Milliseconds): number {
  return reversals.filter((at) => at > now - windowMs).length;
}

function beginAnew(history: TargetHistory, now: Milliseconds): TargetHistory {
  const wanted = [{ at: now, replicas: history.desired }];
  return { ...history, seenAt: now, highest: wanted, lowest: wanted };
}

function withChange(history: TargetHistory, to: number, now: Milliseconds): TargetHistory {
  const by = to - history.desired;
  const change = { at: now, added: Math.max(0, by), removed: Math.max(0, -by) };
  return { ...history, desired: to, changedAt: now, changes: bounded([...history.changes, change]) };
}

/** The two oldest become one at the later moment, so that none is forgotten too soon. */
function bounded(changes: readonly CountChange[]): readonly CountChange[] {
  const [first, second, ...rest] = changes;
  if (changes.length <= mostChanges || first === undefined || second === undefined) return changes;
  return [{ at: second.at, added: first.added + second.added, removed: first.removed + second.removed }, ...rest];
}

/**
 * Keeps those that a later one does not make pointless; what the window has left goes. Of too many the two that bind
 * most become one at the later moment, so that it binds no shorter than it should.
 */
function withWanted(
  list: readonly WantedCount[],
  wanted: WantedCount,
  after: Milliseconds,
  isPointless: (one: number, other: number) => boolean,
): readonly WantedCount[] {
  // Most of the time nothing changes.
  if (list.length === 1 && list[0] !== undefined && isPointless(list[0].replicas, wanted.replicas)) return [wanted];
  const kept = list.filter(({ at, replicas }) => at > after && !isPointless(replicas, wanted.replicas));
  const [first, second, ...rest] = [...kept, wanted];
  if (kept.length < mostWanted || first === undefined || second === undefined) return [...kept, wanted];
  return [{ at: second.at, replicas: first.replicas }, ...rest];
}

function within<Entry extends { readonly at: Milliseconds }>(
  list: readonly Entry[],
  after: Milliseconds,
): readonly Entry[] {
  return list[0] === undefined || list[0].at > after ? list : list.filter(({ at }) => at > after);
}

function longestPeriodMs({ scaleUp, scaleDown }: TargetPolicy): Milliseconds {
  return Math.max(...scaleUp.policies.map(({ period }) => period), ...scaleDown.policies.map(({ period }) => period));
}
