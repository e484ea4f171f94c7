import { type Clock, type Milliseconds, toScalerError } from "@dormouse/core";
import { ChangeQueue } from "./change-queue.ts";
import { describeIssue, shorten, toAbortedError, toFullError, toLieError, toRpcError } from "./remote-error.ts";
import type { Params } from "./remote-link.ts";
import { rpcChangeSchema, rpcResponseSchema } from "./rpc-messages.ts";

/** Lines in a row that answer nothing, before the program counts as broken. */
const mostStrangeLines = 1_000;

/** Ids of calls that were given up, whose late answers are nothing strange. */
const mostGivenUp = 10_000;

/** Calls that wait for an answer at once. */
const mostPending = 10_000;

/** What a peer needs of the program at the other end. */
export interface RpcPeerParts {
  readonly clock: Clock;
  readonly messageBytes: number;
  /** Writes a line; false where the other end takes nothing in, and nothing was written. */
  send(line: string): boolean;
  /** A line that is no message anybody waits for. */
  onStrange(problem: string): void;
  /** The other end does not keep to the protocol at all. */
  onBroken(problem: string): void;
}

interface Pending {
  readonly call: string;
  /** Where the call is a watch: what comes before its answer. */
  readonly queue?: ChangeQueue;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** JSON-RPC 2.0 over lines, as the one who asks. Every answer is settled once, and nothing is kept for ever. */
export class RpcPeer {
  readonly #parts: RpcPeerParts;
  readonly #pending = new Map<number, Pending>();
  readonly #givenUp = new Set<number>();
  #lastId = 0;
  #strange = 0;
  #silentSince: Milliseconds | undefined;
  #end: Error | undefined;

  constructor(parts: RpcPeerParts) {
    this.#parts = parts;
  }

  /** How long something has been waited for without a single message, in ms. */
  get silentForMs(): Milliseconds {
    return this.#silentSince === undefined ? 0 : this.#parts.clock.monotonic() - this.#silentSince;
  }

  /** Rejects with a ScalerError, at once where the signal aborts. */
  request(call: string, params: Params, signal: AbortSignal): Promise<unknown> {
    return this.#ask(call, params, signal, undefined);
  }

  /** The changes that come for one request, until its answer. */
  async *watch(call: string, params: Params, signal: AbortSignal): AsyncGenerator<unknown, void, undefined> {
    const queue = new ChangeQueue(this.#parts.messageBytes * 2);
    const left = new AbortController();
    const asked = this.#ask(call, params, AbortSignal.any([signal, left.signal]), queue).then(
      () => queue.end(undefined),
      // Whoever gave the watch up wants no more of it, and no error either.
      (error: unknown) => queue.end(signal.aborted ? undefined : toScalerError(error)),
    );
    try {
      yield* queue.read();
    } finally {
      left.abort();
      await asked;
    }
  }

  /** Takes in a line of the other end. Never throws. */
  take(line: Buffer): void {
    const message = toMessage(line);
    if (message === undefined) return this.#sawStrange(`it is no JSON object: ${show(line)}`);
    if (Reflect.get(message, "method") === "$/change") return this.#takeChange(message, line.length);
    const id: unknown = Reflect.get(message, "id");
    if (typeof id !== "number" || !("result" in message || "error" in message))
      return this.#sawStrange(`it is neither an answer nor a change: ${show(line)}`);
    this.#takeAnswer(message, id);
  }

  /** Rejects everything that waits, and whatever is asked from now on. */
  close(error: Error): void {
    this.#end ??= error;
    for (const pending of this.#pending.values()) pending.reject(this.#end);
  }

  #ask(call: string, params: Params, signal: AbortSignal, queue: ChangeQueue | undefined): Promise<unknown> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (signal.aborted) return Promise.reject(toAbortedError(call, signal));
    const id = (this.#lastId += 1);
    const isFull = this.#pending.size >= mostPending;
    if (isFull || !this.#parts.send(`${JSON.stringify({ jsonrpc: "2.0", id, method: call, params })}\n`))
      return Promise.reject(toFullError(call));
    if (queue === undefined) this.#silentSince ??= this.#parts.clock.monotonic();
    return this.#await(id, call, signal, queue);
  }

  async #await(id: number, call: string, signal: AbortSignal, queue: ChangeQueue | undefined): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const onAbort = (): void => {
      this.#giveUp(id);
      reject(toAbortedError(call, signal));
    };
    this.#pending.set(id, { call, resolve, reject, ...(queue && { queue }) });
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#pending.delete(id);
    }
  }

  #giveUp(id: number): void {
    this.#givenUp.add(id);
    const [oldest] = this.#givenUp;
    if (oldest !== undefined && this.#givenUp.size > mostGivenUp) this.#givenUp.delete(oldest);
    this.#parts.send(`${JSON.stringify({ jsonrpc: "2.0", method: "$/cancel", params: { id } })}\n`);
  }

  #takeAnswer(message: object, id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) {
      if (this.#givenUp.delete(id)) return this.#heard();
      const what = id > this.#lastId || id < 1 ? "a call that was never made" : "a call that has its answer";
      return this.#sawStrange(`it answers ${what}, ${shorten(String(id))}`);
    }
    this.#pending.delete(id);
    this.#heard();
    const parsed = rpcResponseSchema.safeParse(message);
    if (!parsed.success) pending.reject(toLieError(pending.call, describeIssue(parsed.error)));
    else if ("error" in parsed.data) pending.reject(toRpcError(pending.call, parsed.data.error));
    else pending.resolve(parsed.data.result);
  }

  #takeChange(message: object, bytes: number): void {
    const parsed = rpcChangeSchema.safeParse(message);
    if (!parsed.success) return this.#sawStrange(`it is no change: ${describeIssue(parsed.error)}`);
    const { id, change } = parsed.data.params;
    const pending = this.#pending.get(id);
    if (pending?.queue === undefined) {
      if (this.#givenUp.has(id)) return this.#heard();
      return this.#sawStrange(`it is a change of a watch that is not running, ${String(id)}`);
    }
    this.#heard();
    if (pending.queue.push(change, bytes)) return;
    this.#giveUp(id);
    pending.reject(toLieError(pending.call, "changes come faster than they can be taken"));
  }

  #heard(): void {
    this.#strange = 0;
    // A watch may be silent for as long as nothing changes.
    const isAwaited = this.#pending.values().some(({ queue }) => queue === undefined);
    this.#silentSince = isAwaited ? this.#parts.clock.monotonic() : undefined;
  }

  #sawStrange(problem: string): void {
    this.#strange += 1;
    this.#parts.onStrange(problem);
    if (this.#strange === mostStrangeLines)
      this.#parts.onBroken(`wrote ${String(mostStrangeLines)} lines to stdout that answer nothing`);
  }
}

function toMessage(line: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(line.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function show(line: Buffer): string {
  const text = line.subarray(0, 200).toString("utf8");
  return JSON.stringify(line.length > 200 ? `${text}…` : text);
}
