import { isDeepStrictEqual } from "node:util";
import { backoffMs } from "./backoff.ts";
import type { Clock, Milliseconds } from "./clock.ts";
import type { GuardedScaler } from "./guard-scaler.ts";
import type { Logger } from "./logger.ts";
import { formatRef, type LocalRef, type ResourceRef } from "./resource-ref.ts";
import type { Resource, ResourceChange } from "./resource-scaler.ts";
import { nextState, type ResourceState } from "./resource-state.ts";
import { type ScalerError, toScalerError } from "./scaler-error.ts";

/** What a host knows of one resource now. */
export interface CatalogEntry {
  readonly ref: ResourceRef;
  /** Printed ref. */
  readonly key: string;
  readonly scaler: GuardedScaler;
  readonly resource: Resource;
  readonly state: ResourceState;
}

/** What has changed; `listed`: a scaler has listed for the first time. */
export type CatalogChange =
  | { readonly kind: "set"; readonly entry: CatalogEntry }
  | { readonly kind: "gone"; readonly ref: ResourceRef; readonly key: string }
  | { readonly kind: "listed"; readonly scaler: string };

/** What a catalogue needs. */
export interface CatalogOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often a scaler without watch is listed; 5 s by default. */
  readonly listEveryMs?: Milliseconds;
}

/** A watch that ends sooner counts as a failed try, so that one that ends at once is not begun ten times a second. */
const steadyAfterMs = 10_000;

interface Following {
  readonly scaler: GuardedScaler;
  readonly abort: AbortController;
  listed: boolean;
  failure: ScalerError | undefined;
  ended: Promise<void>;
}

/**
 * All resources of all scalers of a host, kept fresh by watch or by listing. What could not be listed keeps its last
 * known shape. For routes, display and deciding; no step's safety rests on it: wake and sleep read the platform.
 */
export class ResourceCatalog implements AsyncDisposable {
  readonly #options: CatalogOptions;
  readonly #following = new Map<string, Following>();
  readonly #entries = new Map<string, CatalogEntry>();
  readonly #operations = new Map<string, { wake: number; sleep: number }>();
  /** How often something was told of each resource. */
  readonly #told = new Map<string, number>();
  readonly #listeners = new Set<(change: CatalogChange) => void>();

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  /**
   * Starts to follow a scaler's resources. One with the id of a scaler that is followed already takes its place: the
   * known resources stay, led by the new one, until it has listed its own. The old one may be closed from here on.
   */
  follow(scaler: GuardedScaler): void {
    const previous = this.#following.get(scaler.id);
    previous?.abort.abort();
    const following: Following = {
      scaler,
      abort: new AbortController(),
      listed: false,
      failure: undefined,
      ended: Promise.resolve(),
    };
    this.#following.set(scaler.id, following);
    following.ended = Promise.all([previous?.ended, this.#run(following)]).then(() => {});
    if (previous !== undefined) this.#handOver(scaler);
  }

  /** Ends following; the scaler's resources are gone from here on. */
  async unfollow(scalerId: string): Promise<void> {
    const following = this.#following.get(scalerId);
    if (following === undefined) return;
    this.#following.delete(scalerId);
    following.abort.abort();
    await following.ended;
    for (const entry of this.list()) {
      if (entry.ref.scaler === scalerId && entry.scaler === following.scaler) this.#remove(entry.ref);
    }
  }

  /** @param key printed ref */
  get(key: string): CatalogEntry | undefined {
    return this.#entries.get(key);
  }

  list(): readonly CatalogEntry[] {
    return [...this.#entries.values()];
  }

  scaler(id: string): GuardedScaler | undefined {
    return this.#following.get(id)?.scaler;
  }

  /** Scalers that have not listed yet, and why where they failed. */
  unlisted(): readonly { readonly scaler: string; readonly failure: ScalerError | undefined }[] {
    return [...this.#following.values()]
      .filter((one) => !one.listed)
      .map((one) => ({ scaler: one.scaler.id, failure: one.failure }));
  }

  /** The failure of a scaler's last list or watch, where it failed. */
  failureOf(scalerId: string): ScalerError | undefined {
    return this.#following.get(scalerId)?.failure;
  }

  /**
   * Begins a call to the platform that will tell of a resource; the result takes in what it told. An answer that took
   * long may be older than what a watch, a list or another call has told meanwhile, and no watch would tell that again:
   * then it is left out.
   */
  beginObservation(scaler: GuardedScaler, ref: LocalRef): (resource: Resource) => void {
    const key = formatRef(refOf(scaler, ref));
    const told = this.#told.get(key);
    return (resource) => {
      if (this.#told.get(key) === told && this.#following.get(scaler.id)?.scaler === scaler)
        this.#set(scaler, resource);
    };
  }

  /** Says that a wake or sleep of the resource runs, until the result is called. Calling it again does nothing. */
  beginOperation(ref: ResourceRef, kind: "wake" | "sleep"): () => void {
    const key = formatRef(ref);
    const running = this.#operations.get(key) ?? { wake: 0, sleep: 0 };
    this.#operations.set(key, running);
    running[kind] += 1;
    this.#derive(key);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      running[kind] -= 1;
      if (running.wake + running.sleep === 0) this.#operations.delete(key);
      this.#derive(key);
    };
  }

  /** Calls back after every change until disposed; a listing that changes nothing is none. */
  subscribe(listener: (change: CatalogChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#following.values()];
    this.#following.clear();
    for (const following of all) following.abort.abort();
    await Promise.all(all.map((following) => following.ended));
    this.#listeners.clear();
  }

  #handOver(scaler: GuardedScaler): void {
    for (const entry of this.list()) if (entry.ref.scaler === scaler.id) this.#put({ ...entry, scaler });
  }

  async #run(following: Following): Promise<void> {
    const { signal } = following.abort;
    const { clock, listEveryMs = 5_000 } = this.#options;
    const isWatched = following.scaler.watchResources !== undefined;
    for (let attempt = 0; !signal.aborted;) {
      const startedAt = clock.monotonic();
      const worked = await this.#round(following, signal);
      const isSteady = worked && (!isWatched || clock.monotonic() - startedAt >= steadyAfterMs);
      attempt = isSteady ? 0 : attempt + 1;
      const waitMs = isSteady && !isWatched ? listEveryMs : backoffMs(attempt, { firstMs: 100, longestMs: 30_000 });
      await clock.sleep(waitMs, signal).catch(() => {});
    }
  }

  /** One list, or one watch until it ends. Whether it brought at least a snapshot. */
  async #round(following: Following, signal: AbortSignal): Promise<boolean> {
    const { scaler } = following;
    let worked = false;
    try {
      if (scaler.watchResources === undefined) {
        this.#apply(following, { kind: "snapshot", resources: await scaler.listResources({ signal }) });
        return true;
      }
      for await (const change of scaler.watchResources({ signal })) {
        this.#apply(following, change);
        worked = true;
      }
    } catch (error) {
      if (!signal.aborted) this.#fail(following, toScalerError(error, "SCALER_UNAVAILABLE"));
    }
    return worked;
  }

  #fail(following: Following, error: ScalerError): void {
    if (following.failure?.code !== error.code) {
      this.#options.logger.warn(
        { scaler: following.scaler.id, code: error.code, error: error.message },
        "could not list resources; the last known ones stay",
      );
    }
    following.failure = error;
  }

  #apply(following: Following, change: ResourceChange): void {
    const { scaler, abort } = following;
    if (abort.signal.aborted) return;
    if (change.kind === "set") this.#set(scaler, change.resource);
    else if (change.kind === "gone") this.#remove(refOf(scaler, change.ref));
    else this.#replaceAll(scaler, change.resources);
    following.failure = undefined;
    if (following.listed || change.kind !== "snapshot") return;
    following.listed = true;
    this.#emit({ kind: "listed", scaler: scaler.id });
  }

  #replaceAll(scaler: GuardedScaler, resources: readonly Resource[]): void {
    const present = new Set(resources.map((resource) => formatRef(refOf(scaler, resource.ref))));
    for (const entry of this.list()) {
      if (entry.ref.scaler === scaler.id && !present.has(entry.key)) this.#remove(entry.ref);
    }
    for (const resource of resources) this.#set(scaler, resource);
  }

  #set(scaler: GuardedScaler, resource: Resource): void {
    const ref = refOf(scaler, resource.ref);
    const key = formatRef(ref);
    this.#told.set(key, (this.#told.get(key) ?? 0) + 1);
    const known = this.#entries.get(key);
    if (known?.scaler === scaler && isDeepStrictEqual(known.resource, resource)) return;
    const state = nextState(known?.state, resource, this.#operationOf(key), this.#options.clock.now());
    this.#put({ ref, key, scaler, resource, state });
  }

  #put(entry: CatalogEntry): void {
    this.#entries.set(entry.key, entry);
    this.#emit({ kind: "set", entry });
  }

  #remove(ref: ResourceRef): void {
    const key = formatRef(ref);
    this.#told.delete(key);
    if (this.#entries.delete(key)) this.#emit({ kind: "gone", ref, key });
  }

  #derive(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    const state = nextState(entry.state, entry.resource, this.#operationOf(key), this.#options.clock.now());
    if (state.kind !== entry.state.kind) this.#put({ ...entry, state });
  }

  #operationOf(key: string): "wake" | "sleep" | undefined {
    const running = this.#operations.get(key);
    if (running === undefined) return undefined;
    return running.wake > 0 ? "wake" : "sleep";
  }

  #emit(change: CatalogChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#options.logger.error({ error, change: change.kind }, "a listener of the catalogue threw");
      }
    }
  }
}

/** Only these two members: a plugin's ref may be anything that has them. */
function refOf(scaler: GuardedScaler, { namespace, name }: LocalRef): ResourceRef {
  return { scaler: scaler.id, namespace, name };
}
