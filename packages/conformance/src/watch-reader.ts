import type { Clock, Milliseconds, Resource, ResourceChange, ResourceScaler } from "@dormouse/core";
import { type CallBounds, showRef } from "./call-bounds.ts";
import { expect, show, Unmet } from "./unmet.ts";

export interface WatchReaderParts {
  readonly scaler: ResourceScaler;
  readonly bounds: CallBounds;
  readonly clock: Clock;
  readonly withinMs: Milliseconds;
  readonly promptlyMs: Milliseconds;
}

/** Reads one watch, change by change, and keeps what they add up to. */
export class WatchReader {
  /** Resources by printed ref, as the changes read so far say. */
  readonly view = new Map<string, Resource>();
  readonly #parts: WatchReaderParts;
  readonly #controller = new AbortController();
  readonly #changes: AsyncIterator<ResourceChange>;

  constructor(parts: WatchReaderParts) {
    this.#parts = parts;
    const changes = parts.scaler.watchResources?.({ signal: this.#controller.signal });
    expect(changes !== undefined, "watchResources() to give changes", "undefined");
    this.#changes = changes[Symbol.asyncIterator]();
  }

  /** The next change; undefined where the watch has ended. */
  async next(withinMs = this.#parts.withinMs): Promise<ResourceChange | undefined> {
    const result = await this.#parts.bounds.run(
      "the next change of watchResources()",
      () => this.#changes.next(),
      withinMs,
    );
    if (result.done === true) return undefined;
    this.#take(result.value);
    return result.value;
  }

  /** Reads on until a snapshot has come. */
  async untilSnapshot(): Promise<readonly Resource[]> {
    for (;;) {
      const change = await this.next();
      expect(change !== undefined, "watchResources() to give a snapshot", "its end");
      if (change.kind === "snapshot") return change.resources;
    }
  }

  /** Reads on until the resources are as wanted. */
  async untilView(what: string, holds: (view: ReadonlyMap<string, Resource>) => boolean): Promise<void> {
    const endsAt = this.#parts.clock.monotonic() + this.#parts.withinMs;
    while (!holds(this.view)) {
      const leftMs = Math.max(0, endsAt - this.#parts.clock.monotonic());
      const change = await this.#changeOrLate(leftMs);
      if (change === undefined) throw new Unmet(`the changes of watchResources() to show ${what}`, this.#shownView());
    }
  }

  /** Aborts the signal. @returns once a pending or new read has ended, however it ends */
  async abort(pending: Promise<unknown> = this.#changes.next()): Promise<void> {
    this.#controller.abort();
    await this.#parts.bounds.run(
      "watchResources() to end after its signal has aborted",
      () => pending.then(ignore, ignore),
      this.#parts.promptlyMs,
    );
  }

  /** Leaves as `break` in a `for await` does. */
  async leave(): Promise<void> {
    await this.#parts.bounds.run(
      "the end of a for-await loop over watchResources()",
      async () => this.#changes.return?.(),
      this.#parts.promptlyMs,
    );
  }

  async #changeOrLate(withinMs: Milliseconds): Promise<ResourceChange | undefined> {
    try {
      return await this.next(withinMs);
    } catch (error) {
      if (error instanceof Unmet) return undefined;
      throw error;
    }
  }

  #take(change: ResourceChange): void {
    if (change.kind === "gone") this.view.delete(showRef(change.ref));
    else if (change.kind === "set") this.view.set(showRef(change.resource.ref), change.resource);
    else {
      this.view.clear();
      for (const resource of change.resources) this.view.set(showRef(resource.ref), resource);
    }
  }

  #shownView(): string {
    const facts = [...this.view].map(([key, { desired, ready, version }]) => ({ key, desired, ready, version }));
    return `${show(facts)} within ${String(this.#parts.withinMs)} ms`;
  }
}

function ignore(): void {}
