import { backoffMs, type Clock, type Milliseconds } from "@dormouse/core";

/** Things that are remembered; the one that was written longest ago is forgotten. */
const mostRemembered = 10_000;

/** Who leaves a thing alone for so long does not fight for it. */
const peaceAfterMs: Milliseconds = 600_000;

const backoff = { firstMs: 1_000, longestMs: 300_000 };

interface Fight {
  readonly times: number;
  readonly at: Milliseconds;
}

/**
 * Repairs of what somebody may change back at once, a tool perhaps: the first is at once, the next ones ever later, up to
 * five minutes, so that two tools of different minds do not wear the cluster out.
 */
export class Fights {
  readonly #clock: Clock;
  readonly #fights = new Map<string, Fight>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Time until a thing may be repaired again; 0 or less: now. */
  dueInMs(thing: string): Milliseconds {
    const fight = this.#current(thing);
    if (fight === undefined) return 0;
    return fight.at + backoffMs(fight.times, backoff) - this.#clock.monotonic();
  }

  /** It has been repaired now. */
  repaired(thing: string): void {
    const times = Math.min((this.#current(thing)?.times ?? 0) + 1, 20);
    this.#fights.delete(thing);
    this.#fights.set(thing, { times, at: this.#clock.monotonic() });
    const [oldest] = this.#fights.keys();
    if (this.#fights.size > mostRemembered && oldest !== undefined) this.#fights.delete(oldest);
  }

  #current(thing: string): Fight | undefined {
    const fight = this.#fights.get(thing);
    return fight !== undefined && this.#clock.monotonic() - fight.at < peaceAfterMs ? fight : undefined;
  }
}
