import type { Clock, Milliseconds } from "@dormouse/core";
import type { GroupFacts } from "./group-facts.ts";

/** The count that was asked for last, until the group has shown what became of it. */
export interface Wish {
  readonly count: 0 | 1;
  /** Monotonic ms at which the platform accepted it. */
  readonly acceptedAt: Milliseconds;
  /** Where the operation of a start can be followed. */
  readonly operation?: string;
  /** The operation has ended well: what is read from now on shows its result. */
  readonly isDone?: boolean;
}

/** What a reading means beside a wish. */
export interface Judgement {
  readonly desired: 0 | 1;
  /** The wish has been seen to come true, or to have been overtaken: from here on the group's own state counts. */
  readonly isFulfilled: boolean;
  /** The group does not show what was accepted: its operation has to say why. */
  readonly isDoubtful: boolean;
}

/** How long the group may go on showing what was before, where no operation tells. */
const showsWithinMs: Milliseconds = 60_000;

/**
 * What a reading that began after the wish was accepted says about the wanted count. The resource manager keeps no wanted
 * count: a group that is stopped may be one whose start does not show yet, or one that somebody has stopped.
 *
 * @param now monotonic ms
 */
export function judgeWish(wish: Wish, { presence, isSettled }: GroupFacts, now: Milliseconds): Judgement {
  const isLate = now - wish.acceptedAt >= showsWithinMs;
  if (wish.count === 0) return judgeStop(presence, isLate);
  if (presence === "up" || presence === "unknown") return { desired: 1, isFulfilled: isSettled, isDoubtful: false };
  if (wish.isDone === true || (wish.operation === undefined && isLate))
    return { desired: presence === "stopped" ? 0 : 1, isFulfilled: true, isDoubtful: false };
  return { desired: 1, isFulfilled: false, isDoubtful: wish.operation !== undefined };
}

function judgeStop(presence: GroupFacts["presence"], isLate: boolean): Judgement {
  if (presence === "stopped" || presence === "ended") return { desired: 0, isFulfilled: true, isDoubtful: false };
  const isStartedAgain = presence === "up" && isLate;
  return { desired: isStartedAgain ? 1 : 0, isFulfilled: isStartedAgain, isDoubtful: false };
}

/** Runs that a stop was accepted for, or may have been: none of them may take a request any more. */
export interface Doom {
  /** Runs known by name when the stop was sent. */
  readonly runs: ReadonlySet<string>;
  /** Whether the platform took the stop is not known; it can only take it before this, monotonic ms. */
  readonly doubtfulUntil?: Milliseconds;
}

/** Whether the present run may be one that a stop still ends. */
export function isDoomed(doom: Doom | undefined, run: string | undefined, clock: Clock): boolean {
  if (doom === undefined) return false;
  if (doom.doubtfulUntil !== undefined) return clock.monotonic() < doom.doubtfulUntil;
  return run === undefined || doom.runs.size === 0 || doom.runs.has(run);
}
