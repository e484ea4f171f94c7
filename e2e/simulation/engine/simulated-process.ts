import type { Clock, Milliseconds, Timer } from "@dormouse/core";
import type { FakeClock } from "@dormouse/core/testing";

/**
 * A process as the world sees it: it runs, rests or is dead. What a dead one has sent still arrives, and nothing of it
 * runs any more: its timers and answers are dropped. A resting one (SIGSTOP, a long collection of garbage, a frozen
 * virtual machine) gets all that came meanwhile once it goes on.
 */
export class SimulatedProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly #world: FakeClock;
  readonly #waiting: (() => void)[] = [];
  #state: "running" | "resting" | "dead" = "running";
  #timers = 0;
  #wallOffset = 0;
  #restedMs = 0;
  #restsSince = 0;

  constructor(name: string, world: FakeClock) {
    this.name = name;
    this.#world = world;
    this.clock = {
      now: () => world.now() + this.#wallOffset,
      monotonic: () => world.monotonic(),
      setTimer: (afterMs, callback) => this.#setTimer(afterMs, callback),
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  get isResting(): boolean {
    return this.#state === "resting";
  }

  /** Timers of its clock that have not fired and were not taken back. */
  get pendingTimers(): number {
    return this.#timers;
  }

  /** How long it has rested so far, in ms. */
  get restedMs(): Milliseconds {
    return this.#restedMs + (this.isResting ? this.#world.monotonic() - this.#restsSince : 0);
  }

  kill(): void {
    this.#restedMs = this.restedMs;
    this.#state = "dead";
    this.#waiting.length = 0;
  }

  rest(): void {
    if (this.#state !== "running") return;
    this.#state = "resting";
    this.#restsSince = this.#world.monotonic();
  }

  /** Goes on with what came meanwhile, in its order, each in a turn of its own. */
  goOn(): void {
    if (this.#state !== "resting") return;
    this.#restedMs = this.restedMs;
    this.#state = "running";
    for (const work of this.#waiting.splice(0)) this.#world.setTimer(0, () => this.run(work));
  }

  jumpWallClock(byMs: Milliseconds): void {
    this.#wallOffset += byMs;
  }

  /** Does this in the process: now, once it goes on, or never. */
  run(work: () => void): void {
    if (this.#state === "running") work();
    else if (this.#state === "resting") this.#waiting.push(work);
  }

  #setTimer(afterMs: Milliseconds, callback: () => void): Timer {
    this.#timers += 1;
    let isOver = false;
    const end = (): boolean => {
      if (isOver) return false;
      isOver = true;
      this.#timers -= 1;
      return true;
    };
    const timer = this.#world.setTimer(asNodeTakesIt(afterMs), () =>
      this.run(() => {
        if (end()) callback();
      }),
    );
    return {
      cancel: () => {
        timer.cancel();
        end();
      },
    };
  }

  #sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const onAbort = (): void => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.#setTimer(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}

/** Node cuts fractions off, and knows no timer of less than 1 ms. */
function asNodeTakesIt(ms: Milliseconds): Milliseconds {
  return Math.max(1, Math.trunc(ms));
}
