import type { Clock, Logger, Milliseconds, ScalerError } from "@dormouse/core";
import type { KubeObject } from "../kube-object.ts";

/** What a listener hears, in the order in which it happened. */
export type InformerChange<T> =
  | { readonly kind: "set"; readonly object: T; readonly before?: T }
  | { readonly kind: "gone"; readonly object: T }
  /** A whole list has been taken in: all that was there is known. Comes again after each renewed list. */
  | { readonly kind: "synced" };

/**
 * A copy of a collection in memory that follows the server by list and watch. Whatever breaks is renewed by itself, with
 * backoff; meanwhile the copy stays as it was, and `problem` and `freshForMs` tell.
 */
export interface Informer<T> extends AsyncDisposable {
  /** All objects, in no order; an empty list before the first list has come. */
  list(): readonly T[];
  /** @param namespace empty for objects that are in none */
  get(namespace: string, name: string): T | undefined;
  /**
   * Resolves once a whole list has come (at once where it has). Rejects with the signal's reason, `SCALER_DISPOSED`, or
   * the failure of the first list where trying again alone will not help: missing rights, an API that is not there. The
   * informer goes on trying.
   */
  whenSynced(signal?: AbortSignal): Promise<void>;
  /** Calls back with what changes from now on; read `list` for what is there. A listener that throws is logged. */
  subscribe(listener: (change: InformerChange<T>) => void): Disposable;
  /** Why the copy may be out of date now; undefined while it is followed. */
  readonly problem: ScalerError | undefined;
  /**
   * Ms since the server last confirmed the copy: a list, an event, a bookmark, an accepted or orderly ended watch.
   * Infinity before the first list. Stays below `watchTimeoutMs` and a little while all is well.
   */
  readonly freshForMs: Milliseconds;
}

/** What an informer follows, and how. */
export interface InformerOptions<T, Raw extends KubeObject = KubeObject> {
  /** `v1`, `apps/v1` */
  readonly groupVersion: string;
  /** `deployments` */
  readonly plural: string;
  /** Left out: all namespaces, or a resource that is in none. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * What to keep of an object, to save memory; left out: all but `metadata.managedFields`. Must not throw: an object for
   * which it does is logged and counts as not there.
   */
  readonly project?: (object: Raw) => T;
  /** The whole list is read again at least this often; left out: 10 min. */
  readonly resyncMs?: Milliseconds | undefined;
  /** The server ends a watch after this long, and one that is silent for 15 s longer is broken off; left out: 2 min. */
  readonly watchTimeoutMs?: Milliseconds | undefined;
  /** Objects in one page of a list; left out: 500. */
  readonly pageSize?: number | undefined;
}
