import type { Clock, Milliseconds } from "./clock.ts";
import { formatRef, type ResourceRef } from "./resource-ref.ts";

/** A sleep's hold on a resource that has no compare-and-set, from its fence to a known outcome. */
export interface SleepPass {
  /** False once a request came: the sleep must not send its stop. Read in the same synchronous step that sends it. */
  readonly granted: boolean;
  /** The outcome is known: wakes go on at once. */
  done(): void;
  /** The outcome is unknown: wakes go on once the plugin's `settleWithinMs` has passed. */
  unknown(settleWithinMs: Milliseconds): void;
}

interface Closed {
  granted: boolean;
  readonly opened: Promise<void>;
  readonly open: () => void;
}

/**
 * One mutex per resource for scalers without compare-and-set, shared by the DLX and the autoscaler of one process: from
 * a sleep's fence to its known outcome no wake is sent, and a request that comes before the stop is sent cancels it.
 */
export class SleepGate {
  readonly #clock: Clock;
  readonly #closed = new Map<string, Closed>();
  /** Wakes whose claim is on its way or holds already, by resource. */
  readonly #wakes = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins a sleep; undefined while another one has not ended. */
  close(ref: ResourceRef): SleepPass | undefined {
    const key = formatRef(ref);
    if (this.#closed.has(key)) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const closed: Closed = { granted: !this.#wakes.has(key), opened: promise, open: resolve };
    this.#closed.set(key, closed);
    const open = (): void => {
      if (this.#closed.get(key) === closed) this.#closed.delete(key);
      closed.open();
    };
    return {
      get granted() {
        return closed.granted;
      },
      done: open,
      unknown: (settleWithinMs) => void this.#clock.setTimer(settleWithinMs, open, { unref: true }),
    };
  }

  /**
   * A wake is being sent, from the step in which it found the gate open until the result is called: whoever closes the gate
   * meanwhile has no pass that holds, for the claim may land after whatever that one writes.
   */
  beginWake(ref: ResourceRef): () => void {
    const key = formatRef(ref);
    this.#wakes.set(key, (this.#wakes.get(key) ?? 0) + 1);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const left = (this.#wakes.get(key) ?? 1) - 1;
      if (left > 0) this.#wakes.set(key, left);
      else this.#wakes.delete(key);
    };
  }

  /** Somebody needs the resource: a stop that is not sent yet is not sent any more. */
  cancelSleep(ref: ResourceRef): void {
    const closed = this.#closed.get(formatRef(ref));
    if (closed !== undefined) closed.granted = false;
  }

  /** Resolves once a wake may be sent; undefined: now. */
  whenOpen(ref: ResourceRef): Promise<void> | undefined {
    return this.#closed.get(formatRef(ref))?.opened;
  }
}
