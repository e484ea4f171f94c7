import type { RemoteCall } from "./protocol.ts";

/** Members of a call's params. */
export type Params = Readonly<Record<string, unknown>>;

/** A way to a remote. What it gives back has been read from JSON and is otherwise as the remote said it. */
export interface RemoteLink extends AsyncDisposable {
  /** Rejects with a ScalerError, promptly once the signal aborts. */
  call(call: RemoteCall, params: Params, signal: AbortSignal): Promise<unknown>;
  /** The changes of `watchResources`, until the remote ends them or the signal aborts. Throws ScalerErrors. */
  watch(params: Params, signal: AbortSignal): AsyncIterable<unknown>;
  /** A call has run into its deadline. */
  onTimeout(): void;
}

/** Makes one call of a link that is being opened. */
export type FirstCall = (call: RemoteCall, params: Params, signal: AbortSignal) => Promise<unknown>;

/** Says hello on a new connection, and rejects where the remote is not what it was. */
export type Greet = (call: FirstCall, signal: AbortSignal) => Promise<void>;
