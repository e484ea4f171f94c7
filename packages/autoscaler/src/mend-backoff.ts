import { backoffMs, type Milliseconds, type RouteDirection } from "@dormouse/core";

/** Wait after something that came to nothing. */
const retryBackoff = { firstMs: 1_000, longestMs: 60_000 };

/** From so many mends of the same in a row on somebody else is at it. */
const provesSomebody = 3;

/** Tries so far and when the next one is due, monotonic ms. */
export interface NextTry {
  readonly attempts: number;
  readonly at: Milliseconds;
}

/** The try after one that came to nothing: later each time, up to a minute. A failure long after the one before it is a first one. */
export function nextTry(last: NextTry | undefined, now: Milliseconds): NextTry {
  const attempts = last === undefined || isLongAgo(last.at, now) ? 1 : last.attempts + 1;
  return { attempts, at: now + backoffMs(attempts - 1, retryBackoff) };
}

/** When one resource's route may be mended again: later each time after a failure, and where somebody else undoes what was mended. */
export class MendBackoff {
  #failed: NextTry | undefined;
  #mended: { readonly to: RouteDirection; readonly times: number; readonly at: Milliseconds } | undefined;
  /** Monotonic ms before which nothing is mended that somebody else has undone. */
  #undoneUntil: Milliseconds = 0;

  /** Whether it may be mended now, or the last try was a moment ago. */
  mayMend(now: Milliseconds): boolean {
    return (this.#failed?.at ?? 0) <= now && this.#undoneUntil <= now;
  }

  failed(now: Milliseconds): void {
    this.#failed = nextTry(this.#failed, now);
  }

  /** It needed no mending. */
  wasRight(): void {
    this.#failed = undefined;
  }

  /** The traffic was sent there. True, once in a row: somebody else has sent it elsewhere again and again. */
  mended(to: RouteDirection, now: Milliseconds): boolean {
    const last = this.#mended?.to === to && !isLongAgo(this.#mended.at, now) ? this.#mended.times : 0;
    const times = last + 1;
    this.#failed = undefined;
    this.#mended = { to, times, at: now };
    if (times > 1) this.#undoneUntil = now + backoffMs(times - 2, retryBackoff);
    return times === provesSomebody;
  }

  /** The resource was woken or stopped, or this process itself sends the traffic elsewhere: what was mended is not undone by anybody. */
  forget(): void {
    this.#mended = undefined;
    this.#undoneUntil = 0;
  }
}

function isLongAgo(at: Milliseconds, now: Milliseconds): boolean {
  return now - at > 2 * retryBackoff.longestMs;
}
