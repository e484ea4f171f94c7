import { formatRef, type LocalRef } from "../resource-ref.ts";
import type { ResourceChange } from "../resource-scaler.ts";

type SingleChange = Exclude<ResourceChange, { kind: "snapshot" }>;

/** One watch of a `MemoryScaler`: keeps the last change of each resource until it is read, so that it cannot grow. */
export class ChangeFeed {
  readonly #pending = new Map<string, SingleChange>();
  #wakeUp: (() => void) | undefined;
  #end: { readonly error?: Error } | undefined;

  push(change: SingleChange): void {
    const ref: LocalRef = change.kind === "set" ? change.resource.ref : change.ref;
    this.#pending.set(formatRef({ scaler: "", namespace: ref.namespace, name: ref.name }), change);
    this.#wakeUp?.();
  }

  end(error?: Error): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wakeUp?.();
  }

  async *read(): AsyncGenerator<SingleChange, void, undefined> {
    for (;;) {
      const changes = [...this.#pending.values()];
      this.#pending.clear();
      yield* changes;
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return;
      if (this.#pending.size === 0) await this.#nextPush();
    }
  }

  #nextPush(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
    });
  }
}
