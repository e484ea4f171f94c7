import type { IncomingMessage } from "node:http";
import type { Milliseconds, Timer } from "@dormouse/core";
import type { ForwardFailure, RawHeaders, Reply, Sending } from "../forward/forwarder.ts";
import { toRequestHeaders } from "../forward/request-headers.ts";
import { toTrailers } from "../forward/response-headers.ts";
import type { Passage, ReachedTarget } from "../gate/passage.ts";
import type { ClientConnection, CurrentExchange } from "../listen/client-connections.ts";
import type { HeadFault, RequestHead } from "../listen/read-head.ts";
import type { Answer } from "../respond/answer.ts";
import { toRefusalAnswer } from "../respond/refusal.ts";
import { type Admitted, Admission } from "./admission.ts";
import { answerWhole, relayHead, relayInterim, type RelayedHead } from "./client-answers.ts";
import type { ClientResponse, ResponseOwner } from "./client-response.ts";
import type { FrontState } from "./front-state.ts";
import { decideReplay } from "./replay-rule.ts";
import { RequestBody } from "./request-body.ts";
import type { RequestTrace } from "./tracing.ts";

/** A whole body up to this size goes out as text with its head: one write, where bytes would be a second one. */
const joinedBytes = 4_096;

/** How long a process that ends still takes connections after it has broken the first one: it closes them one by one. */
const deathThroesMs = 25;

/** One request from its head to the end of its answer. It ends once, whatever happens: when its response closes. */
export class Exchange implements Admitted, CurrentExchange, Reply, ResponseOwner {
  readonly #front: FrontState;
  readonly #client: ClientConnection;
  readonly #request: IncomingMessage;
  readonly #response: ClientResponse;
  readonly #trace: RequestTrace | undefined;
  readonly #admission: Admission;
  #passage: Passage | undefined;
  #sending: Sending | undefined;
  #body: RequestBody | undefined;
  #relayed: RelayedHead | undefined;
  #answerTimer: Timer | undefined;
  #replayTimer: Timer | undefined;
  #readerTimer: Timer | undefined;
  /** Since when the client has taken nothing of what waits for it, monotonic ms. */
  #stuckSince: Milliseconds | undefined;
  #attempts = 0;
  #writtenAttempts = 0;
  #hasReplied = false;
  #bytesLeft = -1;
  #awaitsContinue: boolean;
  #hasData = false;
  /** Nothing more is to be written: the answer is whole, or has been given up. */
  #isEnded = false;
  #isCut = false;
  #status = 0;

  constructor(
    front: FrontState,
    client: ClientConnection,
    request: IncomingMessage,
    response: ClientResponse,
    awaitsContinue: boolean,
  ) {
    this.#front = front;
    this.#client = client;
    this.#request = request;
    this.#response = response;
    this.#awaitsContinue = awaitsContinue;
    this.#trace = front.tracing?.begin(request);
    this.#admission = new Admission(front, client, request, this, this.#trace);
    front.active += 1;
    client.current = this;
    response.own(this);
  }

  get isComplete(): boolean {
    return this.#request.complete;
  }

  begin(): void {
    this.#admission.begin();
  }

  malformed({ status, reason }: HeadFault): void {
    this.refuseAndClose(status, reason);
  }

  /** Answers what is no HTTP, or came too slowly, if there is no answer yet, and ends its connection. */
  refuseAndClose(status: 400 | 408 | 417 | 431, reason: string): void {
    this.#client.isRefused = true;
    if (this.#response.headersSent) return void this.#response.destroy();
    this.#front.logger.debug(
      { status, reason, peer: this.#client.socket.remoteAddress },
      "refused a malformed request",
    );
    this.#abandon();
    this.#answer(toRefusalAnswer({ code: "DLX_BAD_REQUEST", status }, "api"), true);
  }

  answered(answer: Answer): void {
    this.#answer(answer, false);
  }

  admitted(passage: Passage): void {
    if (this.#isEnded) return passage.end();
    this.#passage = passage;
    if (this.#admission.head?.hasBody !== true) return this.#send(passage.target, false);
    this.#body ??= this.#openBody();
    if (this.#awaitsContinue) {
      this.#awaitsContinue = false;
      this.#response.writeContinue();
    }
    if (this.#body.hasArrived) return this.#send(passage.target, false);
    // What came in one packet with the head is there as soon as the parser has read on.
    const sendSoon = (): void => {
      if (!this.#isEnded) this.#send(passage.target, false);
    };
    if (this.#body.length === undefined) setImmediate(sendSoon);
    else process.nextTick(sendSoon);
  }

  #openBody(): RequestBody {
    const { config, clock } = this.#front;
    return new RequestBody(this.#request, {
      clock,
      keepBytes: config.replayBody,
      idleMs: config.bodyIdleTimeout,
      onIdle: () => this.refuseAndClose(408, "the body stopped coming"),
      onChunk: () => this.#passage?.moved(),
    });
  }

  #send(target: ReachedTarget, fresh: boolean): void {
    const { method = "GET" } = this.#request;
    const head = this.#admission.head as RequestHead;
    const peer = this.#client.peer(this.#front.trusted);
    const headers = toRequestHeaders(this.#request, head, peer, this.#trace?.forward(target));
    const whole = this.#body?.takeWhole();
    const body = whole === undefined ? this.#body : whole.length > 0 ? whole : undefined;
    this.#attempts += 1;
    try {
      this.#sending = this.#front.forwarder.send(target, { method, path: head.path, headers, body }, this, fresh);
    } catch (error) {
      this.failed({ kind: "unsendable", stale: false, error: error as Error });
    }
  }

  sent(): void {
    this.#writtenAttempts += 1;
  }

  sentWhole(): void {
    const limitMs = this.#admission.policy?.responseTimeout ?? 0;
    if (limitMs === 0 || this.#hasReplied || this.#isEnded) return;
    this.#answerTimer = this.#front.clock.setTimer(limitMs, () => {
      this.#abandon();
      this.#admission.refuse({ code: "DLX_TARGET_TIMEOUT", resource: this.#admission.key });
    });
  }

  replied(): void {
    this.#hasReplied = true;
    this.#answerTimer?.cancel();
  }

  informed(status: number, headers: RawHeaders): void {
    if (!this.#isEnded && this.#request.httpVersionMinor === 1) relayInterim(this.#response, status, headers);
  }

  began(status: number, reason: string, headers: RawHeaders): void {
    if (this.#isEnded) return;
    this.#passage?.responded();
    this.#status = status;
    const head = { status, reason, headers };
    this.#relayed = relayHead(this.#request, this.#response, head, this.#admission.cold, this.#mustClose());
    if (this.#relayed.isStream) this.#passage?.stream();
    this.#bytesLeft = this.#relayed.length ?? -1;
    process.nextTick(flushHead, this);
  }

  /** A head whose body does not follow at once goes out alone: server-sent events, a slow body. */
  flushHead(): void {
    if (!this.#hasData && !this.#isEnded) this.#response.flushHeaders();
  }

  data(chunk: Buffer): boolean {
    if (this.#isEnded) return true;
    const isFirst = !this.#hasData;
    this.#hasData = true;
    if (this.#relayed?.isStream === true) this.#passage?.moved();
    if (this.#bytesLeft === chunk.length) {
      this.#end(isFirst && chunk.length <= joinedBytes ? chunk.toString("latin1") : chunk);
      return true;
    }
    if (this.#bytesLeft > 0) this.#bytesLeft -= chunk.length;
    if (this.#response.write(chunk)) return true;
    this.#response.awaitDrain();
    this.#stuckSince = this.#front.clock.monotonic();
    if (this.#readerTimer === undefined) this.#watchReader(this.#front.config.bodyIdleTimeout);
    return false;
  }

  /** Lets go of a client that takes nothing for too long. One timer for all of the answer: it looks back when it fires. */
  #watchReader(limitMs: Milliseconds, afterMs = limitMs): void {
    if (limitMs === 0) return;
    const { clock } = this.#front;
    const look = (): void => {
      const stuckMs = this.#stuckSince === undefined ? 0 : clock.monotonic() - this.#stuckSince;
      if (stuckMs >= limitMs) this.#response.destroy();
      else this.#watchReader(limitMs, limitMs - stuckMs);
    };
    this.#readerTimer = clock.setTimer(afterMs, look, { unref: true });
  }

  ended(trailers: RawHeaders): void {
    if (this.#isEnded) return;
    if (trailers.length > 0) this.#response.addTrailers(toTrailers(trailers));
    this.#end(undefined);
  }

  failed(failure: ForwardFailure): void {
    if (this.#isEnded) return;
    this.#answerTimer?.cancel();
    const { kind, error } = failure;
    this.#front.logger.debug(
      { resource: this.#admission.key, kind, error: error.message },
      "an attempt to forward failed",
    );
    if (this.#relayed !== undefined) return this.#cut();
    if (kind === "unsendable") return this.refuseAndClose(400, error.message);
    const replay = decideReplay(failure, {
      method: this.#request.method ?? "",
      made: this.#attempts,
      written: this.#writtenAttempts,
      hasReplied: this.#hasReplied,
      isBodyKept: this.#body?.isKept ?? true,
    });
    if (replay === "none") this.#admission.refuse({ code: "DLX_TARGET_UNREACHABLE", resource: this.#admission.key });
    else this.#sendAgain(replay);
  }

  /** To another target within the same count, else back into the waiting room, with the deadline of its arrival. */
  #sendAgain(replay: "other" | "same"): void {
    const passage = this.#passage;
    if (replay === "same" && passage !== undefined) return this.#sendSoon(passage.target);
    const target = passage?.retarget();
    if (target !== undefined) return this.#send(target, true);
    passage?.end();
    this.#passage = undefined;
    this.#admission.holdAgain();
  }

  /** By a fresh connection, once a process of which the broken one was the first sign of its end would refuse it. */
  #sendSoon(target: ReachedTarget): void {
    this.#replayTimer = this.#front.clock.setTimer(deathThroesMs, () => this.#send(target, true));
  }

  #answer(answer: Answer, close: boolean): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#status = answer.status;
    // Whoever waits for "100 Continue" may or may not send its body now: nobody could tell it from a next request.
    answerWhole(this.#response, answer, close || this.#awaitsContinue || this.#mustClose());
    this.#discardBody();
  }

  #end(last: Buffer | string | undefined): void {
    this.#isEnded = true;
    if (last === undefined) this.#response.end();
    else this.#response.end(last, "latin1");
    this.#discardBody();
  }

  /** The answer was whole before the request: the rest of the body is read and thrown away for a while, so that the client sees the answer. */
  #discardBody(): void {
    if (this.#admission.head?.hasBody === true && !this.#request.complete)
      this.#client.discard(this.#request, this.#front.clock);
  }

  /** The target broke off: so does the client's connection, for it must see that the answer is not whole. */
  #cut(): void {
    this.#isEnded = true;
    this.#isCut = true;
    this.#abandon();
    if (this.#relayed?.isFramed === true) this.#response.destroy();
    else this.#client.socket.resetAndDestroy();
  }

  #abandon(): void {
    this.#answerTimer?.cancel();
    this.#replayTimer?.cancel();
    this.#admission.leave();
    this.#sending?.abort();
    this.#sending = undefined;
  }

  /** Behind an answer that closes the connection, those to requests that came meanwhile would be lost. */
  #mustClose(): boolean {
    const { key } = this.#admission;
    if (this.#client.current !== this) return false;
    return this.#front.isDraining || this.#client.isLast || (key !== "" && this.#front.isDirect(key));
  }

  onDrain(): void {
    this.#stuckSince = undefined;
    this.#sending?.resume();
  }

  /** The client has all of the answer, or has gone. The one end of every request. */
  onClose(): void {
    const { key, arrivedAt, cold } = this.#admission;
    const isGone = !this.#response.writableFinished && !this.#isCut;
    this.#isEnded = true;
    if (isGone) this.#abandon();
    this.#readerTimer?.cancel();
    this.#passage?.end();
    if (this.#client.current === this) this.#client.current = undefined;
    const front = this.#front;
    const status = isGone ? 499 : this.#isCut ? 502 : this.#status;
    this.#trace?.end(status);
    front.recorder.record(key, status, front.clock.monotonic() - arrivedAt, cold?.woken === true);
    front.active -= 1;
    if (front.active === 0) front.onIdle();
  }
}

function flushHead(exchange: Exchange): void {
  exchange.flushHead();
}
