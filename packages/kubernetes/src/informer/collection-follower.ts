import { backoffMs, type Milliseconds, ScalerError, toScalerError } from "@dormouse/core";
import { apiPath, toApiCall } from "../api-call.ts";
import type { ApiQuery, Cluster } from "../cluster/cluster.ts";
import { isExpired, toStatusError } from "../kube-error.ts";
import type { KubeList, KubeObject } from "../kube-object.ts";
import type { InformerOptions } from "./informer.ts";
import { keyOfObject, type ObjectStore } from "./object-store.ts";

const backoff = { firstMs: 200, longestMs: 30_000 };
/** A page of 500 large objects over a slow line. */
const listDeadlineMs: Milliseconds = 30_000;
/** How much longer than it was asked for a watch may be silent. */
const silenceGraceMs: Milliseconds = 15_000;
/** A watch that ended sooner than this without a word did not work, whatever its status. */
const shortestWatchMs: Milliseconds = 1_000;
/** Versions that expire within one list: a server that compacts faster than we read. */
const mostPages = 10_000;

interface WatchEvent {
  readonly type?: unknown;
  readonly object?: unknown;
}

/** What following tells while it goes on. */
export interface FollowerEvents {
  /** The server confirmed what we have. */
  readonly confirmed: () => void;
  readonly failed: (error: ScalerError) => void;
}

/** Keeps a store up to date by list and watch until its signal aborts (API concepts, "Efficient detection of changes"). */
export class CollectionFollower<T, Raw extends KubeObject> {
  readonly #cluster: Cluster;
  readonly #options: InformerOptions<T, Raw>;
  readonly #store: ObjectStore<T, Raw>;
  readonly #events: FollowerEvents;
  readonly #path: string;
  /** Where the next watch begins; undefined: a list must come first. */
  #version: string | undefined;
  #relistAt: Milliseconds = 0;
  #attempt = 0;

  constructor(cluster: Cluster, options: InformerOptions<T, Raw>, store: ObjectStore<T, Raw>, events: FollowerEvents) {
    this.#cluster = cluster;
    this.#options = options;
    this.#store = store;
    this.#events = events;
    this.#path = apiPath(options.groupVersion, options.plural, { namespace: options.namespace });
  }

  /** Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#follow(signal);
      } catch (error) {
        if (!signal.aborted) await this.#recover(toScalerError(error, "SCALER_UNAVAILABLE"), signal);
      }
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if (this.#version === undefined || clock.monotonic() >= this.#relistAt) {
      this.#version = await this.#list(signal);
      this.#relistAt = clock.monotonic() + (this.#options.resyncMs ?? 600_000) * (0.8 + 0.2 * Math.random());
      this.#events.confirmed();
    }
    await this.#watch(this.#version, signal);
  }

  /** Everything but an orderly end leads to a new list: what happened in between is not known. */
  async #recover(failure: ScalerError, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    this.#version = undefined;
    const wait = Math.max(
      backoffMs(this.#attempt, backoff),
      Math.min(failure.retryAfterMs ?? 0, this.#longestWait(failure)),
    );
    this.#attempt += 1;
    // A version that has expired is the way of things; the list that follows mends it.
    if (isExpired(failure)) logger.debug({ path: this.#path, error: failure }, "a watch is too old and begins anew");
    else {
      this.#events.failed(failure);
      logger.warn(
        { path: this.#path, error: failure, retryInMs: Math.round(wait) },
        "Kubernetes objects are not followed",
      );
    }
    await clock.sleep(wait, signal).catch(() => {});
  }

  /** The table's waits are for callers of a request; only a server that names one itself is obeyed. */
  #longestWait({ code }: ScalerError): Milliseconds {
    return code === "SCALER_RATE_LIMITED" ? 60_000 : 0;
  }

  get #selectors(): ApiQuery {
    const { labelSelector, fieldSelector } = this.#options;
    return { labelSelector, fieldSelector };
  }

  /** Reads all pages; resolves with the version from which to watch. */
  async #list(signal: AbortSignal): Promise<string> {
    const seen = new Set<string>();
    let next: string | undefined;
    for (let page = 0; page < mostPages; page += 1) {
      const list = await this.#readPage(next, signal);
      for (const item of list.items ?? []) {
        seen.add(keyOfObject(item));
        this.#store.set(item);
      }
      next = list.metadata?.continue;
      if (next !== undefined && next !== "") continue;
      this.#store.finishList(seen);
      return list.metadata?.resourceVersion ?? "";
    }
    throw new ScalerError("SCALER_UNAVAILABLE", `the list of ${this.#path} has no end`);
  }

  async #readPage(next: string | undefined, signal: AbortSignal): Promise<KubeList<Raw>> {
    const query = { ...this.#selectors, limit: this.#options.pageSize ?? 500, continue: next };
    const options = { query, signal, deadlineMs: listDeadlineMs };
    const list = await this.#cluster.request<KubeList<Raw> | undefined>("GET", this.#path, options);
    if (typeof list === "object" && list !== null && Array.isArray(list.items ?? [])) return list;
    throw new ScalerError("SCALER_UNAVAILABLE", `the answer to a list of ${this.#path} is no list`);
  }

  /** Resolves when the server ends the watch in an orderly way. */
  async #watch(version: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const startedAt = clock.monotonic();
    const timeoutMs = this.#timeoutMs();
    const query = {
      ...this.#selectors,
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: version,
      timeoutSeconds: Math.ceil(timeoutMs / 1_000),
    };
    const silence = openSilenceTimer(this.#options, timeoutMs + silenceGraceMs, this.#path, signal);
    let heard = false;
    try {
      const opened = (): void => this.#confirm(silence);
      for await (const event of this.#cluster.stream(this.#path, { query, signal: silence.signal, opened })) {
        this.#take(event as WatchEvent);
        heard = true;
        this.#attempt = 0;
        this.#confirm(silence);
      }
    } catch (error) {
      throw silence.isOver() ? silence.error : error;
    } finally {
      silence[Symbol.dispose]();
    }
    this.#endOrderly(heard || clock.monotonic() - startedAt >= shortestWatchMs);
  }

  #endOrderly(worked: boolean): void {
    if (!worked) throw new ScalerError("SCALER_UNAVAILABLE", `the watch of ${this.#path} ended at once`);
    this.#attempt = 0;
    this.#events.confirmed();
  }

  #confirm(silence: SilenceTimer): void {
    silence.restart();
    this.#events.confirmed();
  }

  /** Spread, so that many informers do not begin anew in one moment; never past the next whole list. */
  #timeoutMs(): Milliseconds {
    const longest = (this.#options.watchTimeoutMs ?? 120_000) * (0.8 + 0.2 * Math.random());
    return Math.max(1_000, Math.min(longest, this.#relistAt - this.#options.clock.monotonic()));
  }

  #take({ type, object }: WatchEvent): void {
    const path = this.#path;
    if (type === "ERROR") throw toStatusError(toApiCall("GET", path, { watch: true }), 200, object);
    if (!isKubeObject(object)) throw new ScalerError("SCALER_UNAVAILABLE", `a watch of ${path} sent no object`);
    if (type === "ADDED" || type === "MODIFIED") this.#store.set(object as Raw);
    else if (type === "DELETED") this.#store.delete(object);
    else if (type !== "BOOKMARK") return;
    this.#version = object.metadata.resourceVersion ?? this.#version;
  }
}

function isKubeObject(object: unknown): object is KubeObject {
  if (typeof object !== "object" || object === null) return false;
  const metadata: unknown = Reflect.get(object, "metadata");
  return typeof metadata === "object" && metadata !== null;
}

interface SilenceTimer extends Disposable {
  readonly signal: AbortSignal;
  readonly error: ScalerError;
  restart(): void;
  isOver(): boolean;
}

/** Ends a watch on whose connection nothing has come for too long: a socket may be dead without anybody knowing. */
function openSilenceTimer(
  { clock }: Pick<InformerOptions<unknown>, "clock">,
  afterMs: Milliseconds,
  path: string,
  outer: AbortSignal,
): SilenceTimer {
  const abort = new AbortController();
  const error = new ScalerError(
    "SCALER_UNAVAILABLE",
    `a watch of ${path} was silent for ${String(Math.round(afterMs / 1_000))} s`,
  );
  let isOver = false;
  const end = (): void => {
    isOver = true;
    abort.abort(error);
  };
  const onAbort = (): void => abort.abort(outer.reason);
  if (outer.aborted) onAbort();
  outer.addEventListener("abort", onAbort, { once: true });
  let timer = clock.setTimer(afterMs, end);
  return {
    signal: abort.signal,
    error,
    isOver: () => isOver,
    restart: () => {
      timer.cancel();
      timer = clock.setTimer(afterMs, end);
    },
    [Symbol.dispose]: () => {
      timer.cancel();
      outer.removeEventListener("abort", onAbort);
    },
  };
}
