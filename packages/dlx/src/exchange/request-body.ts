import type { IncomingMessage } from "node:http";
import type { Clock, Milliseconds, Timer } from "@dormouse/core";
import type { ArrivingBody, BodyDestination } from "../forward/forwarder.ts";

export interface RequestBodyOptions {
  readonly clock: Clock;
  /** Bytes that are kept for one replay; 0: none are. */
  readonly keepBytes: number;
  /** How long the client may send nothing while the target waits for it; 0: no limit. */
  readonly idleMs: Milliseconds;
  readonly onIdle: () => void;
  readonly onChunk: () => void;
}

/** A request's body on its way from the client. Nothing of it is read before the request is released. */
export class RequestBody implements ArrivingBody {
  readonly length: number | undefined;
  readonly #request: IncomingMessage;
  readonly #options: RequestBodyOptions;
  #kept: Buffer[] | undefined = [];
  #keptBytes = 0;
  #isOver = false;
  #timer: Timer | undefined;
  #lastChunkAt: Milliseconds = 0;

  constructor(request: IncomingMessage, options: RequestBodyOptions) {
    const { "content-length": length } = request.headers;
    this.length = length === undefined ? undefined : Number(length);
    this.#request = request;
    this.#options = options;
  }

  /** Whether all of the body that was read so far is kept. */
  get isKept(): boolean {
    return this.#kept !== undefined;
  }

  /** Whether nothing of the body is missing any more. Its parser may be a step behind, and say so only later. */
  get hasArrived(): boolean {
    return this.#isOver || this.#request.complete || this.#request.readableLength === this.length;
  }

  /** The body where all of it has arrived already, which then may be sent in one piece; undefined: it is still arriving. */
  takeWhole(): Buffer | undefined {
    if (this.#isOver) return this.#kept === undefined ? undefined : Buffer.concat(this.#kept);
    if (!this.hasArrived) return undefined;
    this.#isOver = true;
    const chunks: Buffer[] = [];
    // Until Node 24 one read gave all that was there, from Node 26 on it gives one chunk.
    for (let chunk = this.#read(); chunk !== null; chunk = this.#read()) {
      chunks.push(chunk);
      this.#keep(chunk);
    }
    this.#request.resume();
    return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  }

  #read(): Buffer | null {
    return this.#request.read() as Buffer | null;
  }

  flowInto(destination: BodyDestination): () => void {
    for (const chunk of this.#kept ?? []) destination.write(chunk);
    if (this.#isOver) {
      destination.end();
      return () => {};
    }
    const request = this.#request;
    const onDrain = (): void => void request.resume();
    const onData = (chunk: Buffer): void => {
      this.#keep(chunk);
      this.#options.onChunk();
      this.#lastChunkAt = this.#options.clock.monotonic();
      if (destination.write(chunk)) return;
      request.pause();
      destination.onDrain(onDrain);
    };
    const onEnd = (): void => {
      this.#isOver = true;
      stop();
      destination.end();
    };
    const stop = (): void => {
      request.off("data", onData).off("end", onEnd).pause();
      this.#timer?.cancel();
    };
    request.on("data", onData).on("end", onEnd).resume();
    this.#watchIdle();
    return stop;
  }

  #keep(chunk: Buffer): void {
    this.#keptBytes += chunk.length;
    if (this.#keptBytes > this.#options.keepBytes) this.#kept = undefined;
    else this.#kept?.push(chunk);
  }

  /** One timer for all chunks: it looks back when it fires. A pause is the target's, not the client's. */
  #watchIdle(): void {
    const { clock, idleMs, onIdle } = this.#options;
    if (idleMs === 0) return;
    this.#lastChunkAt = clock.monotonic();
    const look = (): void => {
      const quietMs = this.#request.isPaused() ? 0 : clock.monotonic() - this.#lastChunkAt;
      if (quietMs >= idleMs) onIdle();
      else this.#timer = clock.setTimer(idleMs - quietMs, look, { unref: true });
    };
    this.#timer = clock.setTimer(idleMs, look, { unref: true });
  }
}
