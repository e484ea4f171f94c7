import { type Clock, type Milliseconds, ScalerError } from "@dormouse/core";
import type { Cluster } from "../cluster/cluster.ts";
import type { KubeObject } from "../kube-object.ts";
import { CollectionFollower } from "./collection-follower.ts";
import type { Informer, InformerChange, InformerOptions } from "./informer.ts";
import { ObjectStore } from "./object-store.ts";

/** Begins to follow a collection; `whenSynced` tells when it is there. Closing it ends its requests. */
export function openInformer<T = KubeObject, Raw extends KubeObject = KubeObject>(
  cluster: Cluster,
  options: InformerOptions<T, Raw>,
): Informer<T> {
  return new FollowingInformer(cluster, options);
}

class FollowingInformer<T, Raw extends KubeObject> implements Informer<T> {
  readonly #store: ObjectStore<T, Raw>;
  readonly #clock: Clock;
  readonly #what: string;
  readonly #life = new AbortController();
  readonly #running: Promise<void>;
  /** Those that wait for the first list. */
  readonly #waiting = new Set<(error?: ScalerError) => void>();
  #synced = false;
  #confirmedAt: Milliseconds | undefined;
  #problem: ScalerError | undefined;

  constructor(cluster: Cluster, options: InformerOptions<T, Raw>) {
    this.#clock = options.clock;
    this.#what = `${options.groupVersion} ${options.plural}`;
    this.#store = new ObjectStore({ project: options.project, logger: options.logger });
    this.#store.subscribe(({ kind }) => {
      if (kind === "synced") this.#synced = true;
    });
    const events = { confirmed: () => this.#onConfirmed(), failed: (error: ScalerError) => this.#onFailed(error) };
    this.#running = new CollectionFollower(cluster, options, this.#store, events).run(this.#life.signal);
  }

  list(): readonly T[] {
    return this.#store.list();
  }

  get(namespace: string, name: string): T | undefined {
    return this.#store.get(namespace, name);
  }

  subscribe(listener: (change: InformerChange<T>) => void): Disposable {
    return this.#store.subscribe(listener);
  }

  get problem(): ScalerError | undefined {
    return this.#problem;
  }

  get freshForMs(): Milliseconds {
    return this.#confirmedAt === undefined ? Infinity : this.#clock.monotonic() - this.#confirmedAt;
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    if (this.#synced) return Promise.resolve();
    if (this.#life.signal.aborted) return Promise.reject(this.#disposedError());
    if (isHopeless(this.#problem)) return Promise.reject(this.#problem);
    return new Promise((resolve, reject) => {
      const done = (error?: Error): void => {
        this.#waiting.delete(done);
        signal?.removeEventListener("abort", onAbort);
        if (error === undefined) resolve();
        else reject(error);
      };
      const onAbort = (): void => done(toError(signal?.reason));
      if (signal?.aborted === true) return reject(toError(signal.reason));
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(done);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    for (const done of this.#waiting) done(this.#disposedError());
    await this.#running;
  }

  #onConfirmed(): void {
    this.#confirmedAt = this.#clock.monotonic();
    this.#problem = undefined;
    if (this.#synced) for (const done of this.#waiting) done();
  }

  #onFailed(error: ScalerError): void {
    this.#problem = error;
    if (isHopeless(error)) for (const done of this.#waiting) done(error);
  }

  #disposedError(): ScalerError {
    return new ScalerError("SCALER_DISPOSED", `the informer of ${this.#what} has been closed`);
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function isHopeless(error: ScalerError | undefined): error is ScalerError {
  return error?.retryable === false;
}
