import { backoffMs, type Clock, type Milliseconds } from "@dormouse/core";
import PQueue from "p-queue";
import type { AciOptions } from "./aci-options.ts";
import type { Group } from "./group.ts";
import type { GroupBook } from "./group-book.ts";
import { keyOf } from "./group-id.ts";
import type { GroupReader } from "./group-reader.ts";
import type { GroupSurvey } from "./group-survey.ts";
import { untilAborted } from "./shared-call.ts";

/** What a `GroupPoller` needs. */
export interface GroupPollerOptions {
  readonly book: GroupBook;
  readonly reader: GroupReader;
  readonly survey: GroupSurvey;
  readonly clock: Clock;
  readonly poll: AciOptions["poll"];
}

/** Readings that run at once. */
const atOnce = 8;

/** Behind a list that failed. */
const listBackoff = { firstMs: 1_000, longestMs: 30_000 };

/** A change that lasts longer is looked at less often: twice as long after each further half minute. */
const patienceMs: Milliseconds = 30_000;

/**
 * Looks at groups again and again while somebody watches, each as often as what it does asks for, and at the list at long
 * intervals. A reading that somebody else asked for counts as a look.
 */
export class GroupPoller {
  readonly #options: GroupPollerOptions;
  readonly #queue = new PQueue({ concurrency: atOnce });
  /** Monotonic ms of the last look at each group. */
  readonly #lookedAt = new Map<string, Milliseconds>();
  readonly #looking = new Set<string>();
  #first: Promise<void> | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => {};

  constructor(options: GroupPollerOptions) {
    this.#options = options;
  }

  /** Begins to look, unless it has begun. Ends with the signal. */
  start(signal: AbortSignal): void {
    if (this.#first !== undefined) return;
    void this.#survey("all", signal);
    this.#ended = Promise.all([this.#runList(signal), this.#runLooks(signal)]);
  }

  /** Resolves once every group is known. Rejects with why it could not be found out; it is tried again. */
  async whenComplete(signal: AbortSignal): Promise<void> {
    await untilAborted(this.#first ?? Promise.reject(new Error("the poller has not been started")), signal);
  }

  /** Resolves once nothing runs any more, after the signal has aborted. */
  async whenEnded(): Promise<void> {
    await this.#ended;
  }

  /** Something has changed that may need a look sooner. */
  poke(): void {
    this.#wake();
  }

  #survey(read: "all" | "changed", signal: AbortSignal): Promise<void> {
    const run = this.#options.survey.run({ read, isUrgent: false, signal });
    run.catch(() => {});
    if (read === "all") this.#first = run;
    return run;
  }

  async #runList(signal: AbortSignal): Promise<void> {
    const { clock, poll } = this.#options;
    let isComplete = false;
    for (let attempt = 0; !signal.aborted;) {
      try {
        await (isComplete || attempt > 0 ? this.#survey(isComplete ? "changed" : "all", signal) : this.#first);
        isComplete = true;
        attempt = 0;
        this.poke();
      } catch {
        attempt += 1;
      }
      const waitMs = attempt === 0 ? poll.list : Math.min(backoffMs(attempt - 1, listBackoff), poll.list);
      await clock.sleep(waitMs, signal).catch(() => {});
    }
  }

  async #runLooks(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const groups = this.#options.book.groups();
      this.#forgetOthers(groups);
      for (const group of groups) if (this.#dueInMs(group) <= 0) this.#look(group, signal);
      await this.#pause(signal);
    }
    await this.#queue.onIdle();
  }

  /** A look that waits for its turn is not begun again. A failure stands on the group, and the next look comes in its time. */
  #look(group: Group, signal: AbortSignal): void {
    const { reader, clock } = this.#options;
    const key = keyOf(group.id);
    if (this.#looking.has(key)) return;
    this.#looking.add(key);
    void this.#queue.add(async () => {
      await reader.read(group.id, { when: "paced", isUrgent: group.isChanging, signal }).catch(() => {});
      this.#lookedAt.set(key, clock.monotonic());
      this.#looking.delete(key);
      this.poke();
    });
  }

  #dueInMs(group: Group): Milliseconds {
    const { clock } = this.#options;
    const last = Math.max(group.readAt, this.#lookedAt.get(keyOf(group.id)) ?? Number.NEGATIVE_INFINITY);
    return last + this.#intervalOf(group) - clock.monotonic();
  }

  #intervalOf(group: Group): Milliseconds {
    const { clock, poll } = this.#options;
    const steadyMs = group.isAsleep ? poll.asleep : poll.awake;
    if (!group.isChanging) return steadyMs;
    const lastsMs = clock.monotonic() - group.changedAt;
    return Math.min(steadyMs, poll.waking * 2 ** Math.min(30, Math.floor(lastsMs / patienceMs)));
  }

  /** Until the next look is due, or something has changed. */
  async #pause(signal: AbortSignal): Promise<void> {
    const { book, clock, poll } = this.#options;
    const waiting = book.groups().filter(({ id }) => !this.#looking.has(keyOf(id)));
    const waits = waiting.map((group) => this.#dueInMs(group));
    const abort = new AbortController();
    this.#wake = () => abort.abort();
    const either = AbortSignal.any([signal, abort.signal]);
    const waitMs = waits.reduce((least, each) => Math.min(least, each), poll.list);
    await clock.sleep(Math.max(1, waitMs), either).catch(() => {});
  }

  #forgetOthers(groups: readonly Group[]): void {
    if (this.#lookedAt.size <= groups.length) return;
    const keys = new Set(groups.map(({ id }) => keyOf(id)));
    for (const key of this.#lookedAt.keys()) if (!keys.has(key)) this.#lookedAt.delete(key);
  }
}
