import type { ReachedTarget } from "../gate/passage.ts";

/** Header or trailer lines as they came: names and values in turn, as latin1 text or its bytes. */
export type RawHeaders = readonly (string | Buffer)[];

/** A body that is still arriving from the client. */
export interface ArrivingBody {
  /** Its length in bytes where the client said so; undefined: chunked. */
  readonly length: number | undefined;
  /** Writes what is kept and what comes to the destination, under its back-pressure, until the result is called. */
  flowInto(destination: BodyDestination): () => void;
}

/** The part of a writable stream that takes a request's body. */
export interface BodyDestination {
  write(chunk: Buffer): boolean;
  end(): void;
  onDrain(listener: () => void): void;
}

/** One request on its way to a target. */
export interface Outgoing {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn, without any that belong to one connection and without the body's length. */
  readonly headers: string[];
  /** The whole body, one that arrives, or none. */
  readonly body: Buffer | ArrivingBody | undefined;
}

/** Why an attempt did not end with a whole response. */
export interface ForwardFailure {
  /**
   * `unreachable`: no connection, so that nothing was written; `broken`: the connection ended; `garbage`: the target
   * speaks no HTTP/1.1; `unsendable`: the request itself is outside HTTP and was not written.
   */
  readonly kind: "unreachable" | "broken" | "garbage" | "unsendable";
  /** The connection had served a request before: the target may be well and just have closed an idle connection. */
  readonly stale: boolean;
  readonly error: Error;
}

/**
 * What becomes of one attempt, in this order: `sent` once, `informed` any number of times, `began` once, `data`,
 * then `ended`; or `failed` at any point, and nothing after it.
 */
export interface Reply {
  /** From here on bytes of the request may have been written. */
  sent(): void;
  /** The whole request has been written. */
  sentWhole(): void;
  /** The first byte of a response came. */
  replied(): void;
  /** An interim response (1xx). */
  informed(status: number, headers: RawHeaders): void;
  /** The head of the final response. */
  began(status: number, reason: string, headers: RawHeaders): void;
  /** False: no more until `Sending.resume`. */
  data(chunk: Buffer): boolean;
  ended(trailers: RawHeaders): void;
  failed(failure: ForwardFailure): void;
}

/** An attempt under way. */
export interface Sending {
  /** Goes on after `data` answered false. */
  resume(): void;
  /** Gives it up: the connection ends, so that the target sees no complete request; `failed` may follow. */
  abort(): void;
}

/** Sends requests to targets. The one place that knows how; everything else is above it. */
export interface Forwarder {
  /** @param fresh on a new connection, after one failed that had been idle */
  send(target: ReachedTarget, outgoing: Outgoing, reply: Reply, fresh: boolean): Sending;
  /** Takes no more requests on the target's present connections, closes idle ones now and busy ones as they end. */
  retire(target: ReachedTarget): void;
  /** Ends every connection. */
  close(): void;
}
