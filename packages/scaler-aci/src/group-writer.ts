import { type Clock, isScalerError, type Milliseconds, type ScalerError } from "@dormouse/core";
import PQueue from "p-queue";
import { isTransitioning, toCallError, toRefusedStart } from "./aci-error.ts";
import type { AciOptions } from "./aci-options.ts";
import type { ArmApi } from "./arm-api.ts";
import type { Group } from "./group.ts";
import type { GroupBook } from "./group-book.ts";
import { keyOf } from "./group-id.ts";
import type { GroupReader } from "./group-reader.ts";

/** What a `GroupWriter` needs. */
export interface GroupWriterOptions {
  readonly arm: ArmApi;
  readonly book: GroupBook;
  readonly reader: GroupReader;
  readonly clock: Clock;
  readonly transitioning: AciOptions["transitioning"];
}

/** A call of the host has ten seconds; one that ends by itself before has a known outcome. */
const budgetMs: Milliseconds = 8_000;

/** How old the last reading before a stop may be: hosts read just before it. */
const freshMs: Milliseconds = 2_000;

/** Codes of writes that were refused: nothing of them can take effect. */
const refusals: readonly string[] = [
  "SCALER_CONFLICT",
  "SCALER_FORBIDDEN",
  "SCALER_IMAGE_PULL",
  "SCALER_NOT_FOUND",
  "SCALER_QUOTA",
  "SCALER_RATE_LIMITED",
  "SCALER_START_FAILED",
  "SCALER_UNSCHEDULABLE",
];

interface Turns {
  readonly queue: PQueue;
  /** Monotonic ms before which a group in transition is left alone, and how often it has refused in a row. */
  notBefore: Milliseconds;
  refusals: number;
}

/** Starts and stops groups, one write of a group after the other, so that the order of the versions is the platform's. */
export class GroupWriter {
  readonly #options: GroupWriterOptions;
  readonly #turns = new WeakMap<Group, Turns>();

  constructor(options: GroupWriterOptions) {
    this.#options = options;
  }

  /** Resolves once the platform has accepted, with the version of just this write. Rejects with its reason. */
  async write(group: Group, count: 0 | 1, signal: AbortSignal): Promise<string> {
    const turns = this.#turnsOf(group);
    try {
      return await turns.queue.add(async () => this.#writeInTurn(group, count, turns, signal), { signal });
    } catch (error) {
      throw toCallError(error, `the ${count === 1 ? "start" : "stop"} of ${keyOf(group.id)}`, signal);
    }
  }

  #turnsOf(group: Group): Turns {
    const known = this.#turns.get(group);
    const turns = known ?? { queue: new PQueue({ concurrency: 1 }), notBefore: 0, refusals: 0 };
    this.#turns.set(group, turns);
    return turns;
  }

  /** A group in transition is asked again, with growing waits, as long as the call has time for it. */
  async #writeInTurn(group: Group, count: 0 | 1, turns: Turns, signal: AbortSignal): Promise<string> {
    const { clock } = this.#options;
    const endsAt = clock.monotonic() + budgetMs;
    for (;;) {
      const waitMs = turns.notBefore - clock.monotonic();
      if (waitMs > 0) await clock.sleep(waitMs, signal);
      try {
        const version = await this.#writeOnce(group, count, signal);
        turns.refusals = 0;
        return version;
      } catch (error) {
        if (!isTransitioning(error)) throw error;
        this.#postpone(turns);
        if (turns.notBefore > endsAt) throw error;
      }
    }
  }

  #postpone(turns: Turns): void {
    const { clock, transitioning } = this.#options;
    turns.notBefore = clock.monotonic() + Math.min(transitioning.longest, transitioning.first * 2 ** turns.refusals);
    turns.refusals = Math.min(turns.refusals + 1, 30);
  }

  async #writeOnce(group: Group, count: 0 | 1, signal: AbortSignal): Promise<string> {
    const { arm, book } = this.#options;
    if (count === 0) await this.#lookFirst(group, signal);
    let isSent = false;
    const call = { signal, isUrgent: true, onSend: () => void (isSent = true) };
    try {
      if (count === 1) return group.accepted(1, await arm.startGroup(group.id, call));
      await arm.stopGroup(group.id, call);
      return group.accepted(0, undefined);
    } catch (error) {
      if (isScalerError(error)) this.#take(error, group, count, isSent);
      throw error;
    } finally {
      if (book.get(group.id) === group) book.changed(group);
    }
  }

  /** The runs that a stop ends have to be known: after a quick wake none of them may take a request. */
  async #lookFirst(group: Group, signal: AbortSignal): Promise<void> {
    const { reader, clock } = this.#options;
    if (clock.monotonic() - group.readAt > freshMs)
      await reader.read(group.id, { when: "now", isUrgent: true, signal });
  }

  #take(error: ScalerError, group: Group, count: 0 | 1, isSent: boolean): void {
    const failure = count === 1 ? toRefusedStart(error) : undefined;
    if (failure !== undefined) group.refused(failure);
    else if (error.code === "SCALER_NOT_FOUND") this.#options.book.drop(group.id);
    else if (isSent && !refusals.includes(error.code)) group.doubted(count);
  }
}
