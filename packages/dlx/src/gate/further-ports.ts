import type { Clock, Milliseconds, Target, Timer } from "@dormouse/core";
import type { ReachedTarget } from "./passage.ts";
import { type PortAnswers, toPortTarget } from "./port-targets.ts";
import type { TargetPool, TargetSlot } from "./target-pool.ts";

/** How long requests wait for a port that no instance answers on, while the resource is awake: it may be the last to open. */
const patienceMs = 5_000;

/** After that a request for it has it dialled again, but not more often than this. */
const tryEveryMs = 1_000;

export interface FurtherPortsOptions {
  readonly clock: Clock;
  readonly pool: TargetPool;
  /** Connections to this address are of no use any more. */
  readonly retire: (target: ReachedTarget) => void;
  /** Whoever waits for the port waits in vain. */
  readonly hopeless: (port: string) => void;
}

interface PortState {
  /** The scaler has said where it is. */
  isAnswered: boolean;
  /** The scaler says that there is no such port. */
  isMissing: boolean;
  /** Monotonic ms since when there are targets, and none that is known to answer on it. */
  closedSince: Milliseconds | undefined;
  /** Monotonic ms at which a request last had it dialled in spite of that. */
  triedAt: Milliseconds;
  isGivenUp: boolean;
}

/** A further port of an instance that a request could not reach. */
export interface ClosedPort {
  readonly slot: TargetSlot;
  readonly port: string;
  readonly target: ReachedTarget;
}

/** The ports of one resource that requests come for besides its main one: where they are, and whether they answer. Their names come from routes. */
export class FurtherPorts {
  readonly #options: FurtherPortsOptions;
  readonly #states = new Map<string, PortState>();
  #timer: Timer | undefined;

  constructor(options: FurtherPortsOptions) {
    this.#options = options;
  }

  get isNone(): boolean {
    return this.#states.size === 0;
  }

  wanted(): Iterable<string> {
    return this.#states.keys();
  }

  /** A request came for the port. Whether it is worth while to ask for it now: it is new, or was not tried for a while. */
  want(port: string): boolean {
    const now = this.#options.clock.monotonic();
    const state = this.#states.get(port);
    if (state === undefined) {
      const unknown = { isAnswered: false, isMissing: false, closedSince: undefined, isGivenUp: false };
      this.#states.set(port, { ...unknown, triedAt: now });
      return true;
    }
    if (!this.isHopeless(port) || now - state.triedAt < tryEveryMs) return false;
    state.triedAt = now;
    return true;
  }

  /** Whether the port is missing, or has not answered for so long that nobody should wait for it. */
  isHopeless(port: string): boolean {
    const state = this.#states.get(port);
    return state !== undefined && (state.isMissing || this.#leftMs(state) <= 0);
  }

  /** Takes in where the ports are. @param candidates of the main port */
  learn(answers: PortAnswers, candidates: readonly Target[]): void {
    const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]));
    for (const [port, targets] of answers) {
      const state = this.#states.get(port);
      if (state === undefined) continue;
      state.isAnswered = true;
      state.isMissing = targets === "missing";
      for (const slot of this.#options.pool.slots()) {
        const candidate = byId.get(slot.target.id);
        const other = targets === "missing" ? undefined : targets.get(slot.target.id);
        const target =
          candidate === undefined || other === undefined ? undefined : toPortTarget(slot.target, candidate, other);
        const left = slot.learn(port, target);
        if (left !== undefined) this.#options.retire(left);
      }
    }
  }

  /** A request could not reach an instance on the port: no other is sent there until it has answered a dial. */
  close(slot: TargetSlot, port: string): void {
    const target = slot.at(port);
    if (target === undefined) return;
    slot.mark(port, false);
    this.#options.retire(target);
    this.judge();
  }

  closed(): readonly ClosedPort[] {
    return this.#options.pool.slots().flatMap((slot) =>
      [...this.#states.keys()].flatMap((port) => {
        const target = slot.closedAt(port);
        return target === undefined ? [] : [{ slot, port, target }];
      }),
    );
  }

  /** Looks which ports nobody answers on. Whether there is none that may come to answer by itself. */
  judge(): boolean {
    const { clock, pool } = this.#options;
    for (const [port, state] of this.#states) {
      if (pool.size === 0 || pool.isOpen(port)) this.#hope(state);
      else if (state.isAnswered) state.closedSince ??= clock.monotonic();
    }
    this.#giveUp();
    return [...this.#states.values()].every(
      (state) => state.isAnswered && (state.closedSince === undefined || state.isGivenUp),
    );
  }

  /** There is no target any more: nothing is known of any port. */
  reset(): void {
    for (const state of this.#states.values()) {
      state.isAnswered = false;
      state.isMissing = false;
      this.#hope(state);
    }
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The resource has changed: a port that was missing may be there now. */
  forgetMissing(): void {
    for (const [port, state] of this.#states) if (state.isMissing) this.#states.delete(port);
  }

  #hope(state: PortState): void {
    state.closedSince = undefined;
    state.isGivenUp = false;
  }

  #leftMs({ closedSince }: PortState): Milliseconds {
    return closedSince === undefined
      ? Number.POSITIVE_INFINITY
      : closedSince + patienceMs - this.#options.clock.monotonic();
  }

  /** One timer for all: it looks when the next one is due. */
  #giveUp(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [port, state] of this.#states) {
      if (state.isGivenUp || state.closedSince === undefined) continue;
      state.isGivenUp = this.isHopeless(port);
      if (state.isGivenUp) this.#options.hopeless(port);
      else nextMs = Math.min(nextMs, this.#leftMs(state));
    }
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#options.clock.setTimer(nextMs, () => this.#giveUp(), { unref: true });
  }
}
