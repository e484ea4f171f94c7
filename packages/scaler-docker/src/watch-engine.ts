import { type LocalRef, type Resource, type ResourceChange, ScalerError } from "@dormouse/core";
import { keyOf } from "./container-group.ts";
import type { EngineEvent } from "./docker-answers.ts";

/** What a watch reads. */
export interface WatchSource {
  /** Resolves once the engine listens. */
  open(signal: AbortSignal): Promise<AsyncIterable<EngineEvent>>;
  /** The resources that an event is about. */
  refsOf(event: EngineEvent): readonly LocalRef[];
  list(signal: AbortSignal): Promise<readonly Resource[]>;
  get(ref: LocalRef, signal: AbortSignal): Promise<Resource | undefined>;
  /** Whoever is to be told of changes that are made here. */
  readonly watchers: Set<(ref: LocalRef) => void>;
}

/** What happens to a container without changing anything that is said of it. */
const silent = /^(exec_|attach|detach|resize|top|archive-path|extract-to-dir|copy|commit|export|kill)/;

/** Resources that changed since the reader last looked; each is read when it is its turn. */
class Changes {
  readonly #changed = new Map<string, LocalRef>();
  #wake: () => void = () => {};
  #end: { readonly error: unknown } | undefined;

  add(ref: LocalRef): void {
    this.#changed.set(keyOf(ref), ref);
    this.#wake();
  }

  end(error: unknown): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** One that changed. Rejects once the watch has ended. */
  async next(): Promise<LocalRef> {
    for (;;) {
      if (this.#end !== undefined) throw this.#end.error;
      const [first] = this.#changed;
      if (first !== undefined) {
        this.#changed.delete(first[0]);
        return first[1];
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/**
 * A snapshot, then each resource anew whenever something happened to it, until the signal aborts.
 *
 * @throws ScalerError `SCALER_UNAVAILABLE` when the engine ends the stream of events
 */
export async function* watchEngine(source: WatchSource, signal: AbortSignal): AsyncGenerator<ResourceChange> {
  const stop = new AbortController();
  const ends = AbortSignal.any([signal, stop.signal]);
  const changes = new Changes();
  const tell = (ref: LocalRef): void => changes.add(ref);
  const onAbort = (): void => changes.end(ends.reason);
  ends.addEventListener("abort", onAbort, { once: true });
  try {
    // First the events, so that nothing is lost between them and the list.
    const events = await source.open(ends);
    source.watchers.add(tell);
    void pump(events, source, changes);
    yield { kind: "snapshot", resources: await source.list(ends) };
    for (;;) yield await toChange(source, await changes.next(), ends);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    source.watchers.delete(tell);
    ends.removeEventListener("abort", onAbort);
    stop.abort();
  }
}

async function pump(events: AsyncIterable<EngineEvent>, source: WatchSource, changes: Changes): Promise<void> {
  try {
    for await (const event of events) {
      if (event.Type === "container" && silent.test(event.Action)) continue;
      for (const ref of source.refsOf(event)) changes.add(ref);
    }
    changes.end(new ScalerError("SCALER_UNAVAILABLE", "Docker has ended the stream of events"));
  } catch (error) {
    changes.end(error);
  }
}

async function toChange(source: WatchSource, ref: LocalRef, signal: AbortSignal): Promise<ResourceChange> {
  const resource = await source.get(ref, signal);
  return resource === undefined ? { kind: "gone", ref } : { kind: "set", resource };
}
