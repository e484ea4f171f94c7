import type { Clock, Milliseconds } from "./clock.ts";

/** One whole wake or sleep, a change of a count by a target, or a thing an operator should know. */
export interface ScaleEvent {
  /** Rises by one with each event of this process. */
  readonly id: number;
  /** Epoch ms of its end. */
  readonly at: number;
  readonly kind: "wake" | "sleep" | "scale" | "config" | "resource";
  /** Printed ref; empty for events of the host itself. */
  readonly resource: string;
  /** Who caused it: `request`, `autoscaler`, `operator`, `reconciler`. */
  readonly by: string;
  /** Why, in words. */
  readonly reason: string;
  readonly outcome: "done" | "kept" | "failed" | "refused";
  /** Replica counts before and after. */
  readonly from?: number;
  readonly to?: number;
  /** How long it took as a whole, in ms. */
  readonly tookMs?: Milliseconds;
  /** How long each phase took, in ms, in order. */
  readonly phases?: Readonly<Record<string, Milliseconds>>;
  /** Code of the failure, where it failed. */
  readonly code?: string;
}

/** The last events of a host, in memory and bounded, and whoever listens for new ones. */
export class EventJournal {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #events: ScaleEvent[] = [];
  readonly #listeners = new Set<(event: ScaleEvent) => void>();
  #nextId = 1;

  /** @param limit how many events are kept; 1,000 by default */
  constructor(clock: Clock, limit = 1_000) {
    this.#clock = clock;
    this.#limit = limit;
  }

  record(event: Omit<ScaleEvent, "id" | "at">): ScaleEvent {
    const recorded = { id: this.#nextId++, at: this.#clock.now(), ...event };
    this.#events.push(recorded);
    if (this.#events.length > this.#limit) this.#events.shift();
    for (const listener of this.#listeners) notify(listener, recorded);
    return recorded;
  }

  /** Oldest first; `after`: only later than that id. */
  list(after = 0): readonly ScaleEvent[] {
    return this.#events.filter((event) => event.id > after);
  }

  /** The last event of one resource and kind. */
  last(resource: string, kind: ScaleEvent["kind"]): ScaleEvent | undefined {
    return this.#events.findLast((event) => event.resource === resource && event.kind === kind);
  }

  /** Calls back with every later event until disposed. */
  subscribe(listener: (event: ScaleEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}

/** Whoever listens cannot disturb the wake or sleep that is being recorded. */
function notify(listener: (event: ScaleEvent) => void, event: ScaleEvent): void {
  try {
    listener(event);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}
