import type { Milliseconds } from "@dormouse/core";

/** Methods of the API. */
export type ApiMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Values of a query; those that are undefined are left out. */
export type ApiQuery = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a request takes besides its path. */
export interface ApiRequestOptions {
  readonly query?: ApiQuery;
  /** Written as JSON. */
  readonly body?: unknown;
  /** Left out: `application/json`; patches need one of their own, for example `application/merge-patch+json`. */
  readonly contentType?: string;
  /** Left out: `application/json`. */
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  /** Until the whole answer is there; left out: 10 s. */
  readonly deadlineMs?: Milliseconds;
}

/** What a stream takes besides its path. */
export interface ApiStreamOptions {
  readonly query?: ApiQuery;
  readonly signal?: AbortSignal | undefined;
  /** Called once the server has accepted the stream, before its first line. */
  readonly opened?: () => void;
}

/** A version of the server. */
export interface ServerVersion {
  readonly major: number;
  readonly minor: number;
  /** As the server writes it: `v1.29.4+k3s1`. */
  readonly text: string;
}

/**
 * One Kubernetes API server, with credentials. Every call rejects with a ScalerError (a `KubeError` where the server or
 * the network said no): `SCALER_TIMEOUT` past its deadline, `SCALER_ABORTED` once its signal aborts, `SCALER_DISPOSED`
 * after the cluster has been closed. Answers are bounded by 64 MiB, a line of a stream likewise.
 */
export interface Cluster extends AsyncDisposable {
  readonly version: ServerVersion;
  /** Of the service account or context, else `default`. */
  readonly namespace: string;
  /**
   * Whether the server had it when the cluster was opened.
   * @param groupVersion `v1`, `apps/v1`
   * @param plural `deployments`; left out: anything of that version
   */
  serves(groupVersion: string, plural?: string): boolean;
  /** One request; answers with the parsed JSON, undefined where the answer has no body. Paths begin with `/api`. */
  request<T>(method: ApiMethod, path: string, options?: ApiRequestOptions): Promise<T>;
  /** The lines of an answer, each parsed, as they come. Ends when the server ends it; rejects where it breaks off within a line. */
  stream(path: string, options?: ApiStreamOptions): AsyncIterable<unknown>;
}
