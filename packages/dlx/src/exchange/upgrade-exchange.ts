import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { dialTarget } from "../forward/dialled-agent.ts";
import type { ForwardFailure } from "../forward/forwarder.ts";
import { toRequestHeaders } from "../forward/request-headers.ts";
import { forwardUpgrade, type UpgradeReply } from "../forward/upgrade-forwarder.ts";
import type { Passage, ReachedTarget } from "../gate/passage.ts";
import type { ClientConnection } from "../listen/client-connections.ts";
import type { HeadFault } from "../listen/read-head.ts";
import { type Answer, toBytes } from "../respond/answer.ts";
import { toRefusalAnswer } from "../respond/refusal.ts";
import { coldStartHeader, toServerTiming } from "../respond/server-timing.ts";
import { type Admitted, Admission } from "./admission.ts";
import type { FrontState } from "./front-state.ts";
import { decideReplay } from "./replay-rule.ts";
import type { RequestTrace } from "./tracing.ts";

/** A request for another protocol, from its head until one of the two connections closes. It ends once: when the client's connection has closed. */
export class UpgradeExchange implements Admitted, UpgradeReply {
  readonly #front: FrontState;
  readonly #client: ClientConnection;
  readonly #request: IncomingMessage;
  readonly #head: Buffer;
  readonly #trace: RequestTrace | undefined;
  readonly #admission: Admission;
  readonly #abort = new AbortController();
  #passage: Passage | undefined;
  #target: Socket | undefined;
  #attempts = 0;
  #status = 0;

  constructor(front: FrontState, client: ClientConnection, request: IncomingMessage, head: Buffer) {
    this.#front = front;
    this.#client = client;
    this.#request = request;
    this.#head = head;
    this.#trace = front.tracing?.begin(request);
    this.#admission = new Admission(front, client, request, this, this.#trace);
    front.active += 1;
    client.socket.once("close", () => this.#onClose());
  }

  begin(): void {
    const { headers, method } = this.#request;
    const length = headers["content-length"];
    if (method === "CONNECT") return this.malformed({ status: 400, reason: "CONNECT" });
    // Where its body ends and the other protocol begins, two readers may see differently.
    if (headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0")) {
      return this.malformed({ status: 400, reason: "an upgrade with a body" });
    }
    this.#client.socket.on("readable", this.#onReadable).on("end", this.#onEnd);
    this.#admission.begin();
  }

  malformed({ status, reason }: Pick<HeadFault, "status" | "reason">): void {
    this.#front.logger.debug({ status, reason }, "refused a malformed request");
    this.answered(toRefusalAnswer({ code: "DLX_BAD_REQUEST", status }, "api"));
  }

  answered(answer: Answer): void {
    if (this.#status !== 0) return;
    this.#status = answer.status;
    this.#client.socket.write(toBytes(answer));
    this.#client.socket.destroySoon();
  }

  admitted(passage: Passage): void {
    if (this.#abort.signal.aborted) return passage.end();
    this.#passage = passage;
    void this.#dial(passage.target);
  }

  opened(): void {
    this.#status = 101;
    this.#passage?.responded();
    this.#passage?.stream();
    const onData = (): void => this.#passage?.moved();
    // After whoever pipes has begun to: a listener alone would set the bytes flowing before.
    process.nextTick(() => {
      this.#client.socket.on("data", onData);
      this.#target?.on("data", onData);
    });
  }

  refused(status: number): void {
    this.#status = status;
    this.#passage?.responded();
  }

  failed(error: Error): void {
    if (this.#status !== 0) return;
    this.#front.logger.debug({ resource: this.#admission.key, error: error.message }, "an upgrade failed");
    this.#admission.refuse({ code: "DLX_TARGET_UNREACHABLE", resource: this.#admission.key });
  }

  /** Not one byte is written before there is a connection, so that another target may be tried as often as there are some. */
  async #dial(target: ReachedTarget): Promise<void> {
    this.#attempts += 1;
    try {
      const socket = await dialTarget(target, this.#abort.signal);
      if (this.#abort.signal.aborted) socket.destroy();
      else this.#speak(socket, target);
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#redial(error as Error);
    }
  }

  #redial(error: Error): void {
    const failure: ForwardFailure = { kind: "unreachable", stale: false, error };
    const attempts = { method: "GET", made: this.#attempts, written: 0, hasReplied: false, isBodyKept: true };
    if (decideReplay(failure, attempts) === "none") return this.failed(error);
    const next = this.#passage?.retarget();
    if (next !== undefined) return void this.#dial(next);
    this.#passage?.end();
    this.#passage = undefined;
    this.#admission.holdAgain();
  }

  #speak(socket: Socket, target: ReachedTarget): void {
    const { socket: client } = this.#client;
    const head = this.#admission.head;
    if (head === undefined) return;
    this.#target = socket;
    client.off("readable", this.#onReadable).off("end", this.#onEnd);
    socket.on("error", () => {});
    // Its last bytes are on their way to the client still.
    socket.once("close", () => setImmediate(() => client.destroySoon()));
    const peer = this.#client.peer(this.#front.trusted);
    const headers = toRequestHeaders(this.#request, head, peer, this.#trace?.forward(target));
    const protocol = this.#request.headers.upgrade ?? "";
    const parties = { request: this.#request, client, head: this.#head, target: socket, path: head.path };
    forwardUpgrade({ ...parties, headers, protocol, extra: this.#extraHeaders() }, this);
  }

  #extraHeaders(): readonly string[] {
    const { cold } = this.#admission;
    const isCold = [coldStartHeader, cold?.woken === true ? "true" : "false"];
    return cold === undefined ? isCold : [...isCold, "Server-Timing", toServerTiming(cold)];
  }

  /** While it is held nothing is read; but the end of an idle connection is to be seen. */
  readonly #onReadable = (): void => {
    if (this.#client.socket.readableLength === 0) this.#client.socket.read(0);
  };

  readonly #onEnd = (): void => void this.#client.socket.destroy();

  #onClose(): void {
    const { key, arrivedAt, cold } = this.#admission;
    const front = this.#front;
    this.#abort.abort();
    this.#admission.leave();
    this.#target?.destroySoon();
    this.#passage?.end();
    const status = this.#status === 0 ? 499 : this.#status;
    this.#trace?.end(status);
    front.recorder.record(key, status, front.clock.monotonic() - arrivedAt, cold?.woken === true);
    front.active -= 1;
    if (front.active === 0) front.onIdle();
  }
}
