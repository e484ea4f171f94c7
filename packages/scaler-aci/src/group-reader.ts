import {
  callWithDeadline,
  type Clock,
  isScalerError,
  type Logger,
  type Milliseconds,
  toScalerError,
} from "@dormouse/core";
import type { ArmApi } from "./arm-api.ts";
import type { Group } from "./group.ts";
import type { GroupBook } from "./group-book.ts";
import { type GroupId, keyOf } from "./group-id.ts";
import { SharedCall } from "./shared-call.ts";

/** What a `GroupReader` needs. */
export interface GroupReaderOptions {
  readonly arm: ArmApi;
  readonly book: GroupBook;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nextOrder: () => number;
  /** Shortest time from one paced reading of a group to the next. */
  readonly paceMs: Milliseconds;
}

/** How a group is read. */
export interface ReadOptions {
  /** `now`: by a request of its own; `paced`: not sooner after the last reading than the pace allows. */
  readonly when: "now" | "paced";
  readonly isUrgent: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Of one reading, whoever waits for it. */
const readTimeoutMs: Milliseconds = 30_000;

interface Reads {
  readonly call: SharedCall<Group | undefined>;
  /** Monotonic ms. */
  begunAt: Milliseconds;
  running: number;
}

/** Reads groups one by one, never from what was read before: callers that ask at the same time share a request. */
export class GroupReader {
  readonly #options: GroupReaderOptions;
  readonly #reads = new Map<string, Reads>();

  constructor(options: GroupReaderOptions) {
    this.#options = options;
  }

  /** The group as it is now; undefined where it is gone or none of ours. Rejects with the platform's reason. */
  async read(id: GroupId, { when, isUrgent, signal }: ReadOptions): Promise<Group | undefined> {
    const { clock, paceMs } = this.#options;
    const reads = this.#readsOf(id);
    const afterMs = when === "now" ? 0 : reads.begunAt + paceMs - clock.monotonic();
    reads.running += 1;
    try {
      return await reads.call.call({ afterMs, isUrgent, signal });
    } finally {
      reads.running -= 1;
      this.#forget(id, reads);
    }
  }

  #readsOf(id: GroupId): Reads {
    const key = keyOf(id);
    const known = this.#reads.get(key);
    if (known !== undefined) return known;
    const { clock } = this.#options;
    const call = new SharedCall(clock, async (signal, isUrgent) => {
      reads.begunAt = clock.monotonic();
      const options = { clock, afterMs: readTimeoutMs, signal, what: `the reading of ${key}` };
      return callWithDeadline(options, async (inner) => this.#readNow(id, inner, isUrgent));
    });
    const reads: Reads = { call, begunAt: Number.NEGATIVE_INFINITY, running: 0 };
    this.#reads.set(key, reads);
    return reads;
  }

  /** What anybody asks for and is not there leaves nothing behind. */
  #forget(id: GroupId, reads: Reads): void {
    if (reads.running === 0 && this.#options.book.get(id) === undefined) this.#reads.delete(keyOf(id));
  }

  async #readNow(id: GroupId, signal: AbortSignal, isUrgent: boolean): Promise<Group | undefined> {
    const { arm, book, clock, nextOrder } = this.#options;
    const begin = { begunAt: clock.monotonic(), order: nextOrder() };
    try {
      const group = book.see(id, await arm.getGroup(id, { signal, isUrgent }), begin);
      if (group?.doubtfulOperation !== undefined) await this.#ask(group, group.doubtfulOperation, signal, isUrgent);
      return group;
    } catch (error) {
      if (isScalerError(error)) book.fail(id, error);
      throw error;
    }
  }

  /** A start does not show: its operation says whether it goes on, or why it came to nothing. */
  async #ask(group: Group, url: string, signal: AbortSignal, isUrgent: boolean): Promise<void> {
    const { arm, book, logger } = this.#options;
    try {
      group.observeOperation(url, await arm.getOperation(group.id, url, { signal, isUrgent }));
    } catch (error) {
      const { code, message, retryable } = toScalerError(error);
      if (retryable) return;
      logger.error({ group: keyOf(group.id), code, error: message }, "the operation of a start cannot be followed");
      group.observeOperation(url, undefined);
    }
    book.changed(group);
  }
}
