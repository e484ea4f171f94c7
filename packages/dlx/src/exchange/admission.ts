import type { IncomingMessage } from "node:http";
import { type Milliseconds, type Policy, type ScalerError, toScalerError } from "@dormouse/core";
import { lowerHopsHeader, mostHops, readHops } from "../forward/hops.ts";
import { clientAddress } from "../forward/peer.ts";
import type { ColdStart, Gate, Passage } from "../gate/passage.ts";
import type { ClientConnection } from "../listen/client-connections.ts";
import { type HeadFault, readHead, type RequestHead } from "../listen/read-head.ts";
import type { Answer } from "../respond/answer.ts";
import { grpcPatienceMs, isGrpc } from "../respond/grpc.ts";
import { isNeverWake, toAsleepAnswer } from "../respond/never-wake.ts";
import { isNavigation, toWaitingPage } from "../respond/page.ts";
import { type Refusal, toRefusalAnswer } from "../respond/refusal.ts";
import type { FrontState } from "./front-state.ts";
import type { RequestTrace } from "./tracing.ts";

const notActive = { activity: false } as const;

/** How long a browser looks at nothing before it gets the waiting page. */
const pageAfterMs = 1_500;

/** What an admission tells of a request: one of these, once; `holdAgain` begins anew. */
export interface Admitted {
  /** The request may go to a target; whoever gets the passage ends it. */
  admitted(passage: Passage): void;
  /** An answer of our own ends it. */
  answered(answer: Answer): void;
  /** It is no HTTP that means one thing only. */
  malformed(fault: HeadFault): void;
}

/** Finds the resource of a request and gets it a passage: at once where that is awake, else from its waiting room. */
export class Admission {
  readonly #front: FrontState;
  readonly #client: ClientConnection;
  readonly #request: IncomingMessage;
  readonly #outcome: Admitted;
  readonly #trace: RequestTrace | undefined;
  readonly arrivedAt: Milliseconds;
  /** Printed ref of the resource; empty until one is found. */
  key = "";
  head: RequestHead | undefined;
  policy: Policy | undefined;
  /** What the request waited for; a wake weighs more than a later wait. */
  cold: ColdStart | undefined;
  #gate: Gate | undefined;
  #port: string | undefined;
  #holding: AbortController | undefined;
  #isActivity = true;
  #isHeldAgain = false;

  constructor(
    front: FrontState,
    client: ClientConnection,
    request: IncomingMessage,
    outcome: Admitted,
    trace: RequestTrace | undefined,
  ) {
    this.#front = front;
    this.#client = client;
    this.#request = request;
    this.#outcome = outcome;
    this.#trace = trace;
    this.arrivedAt = front.clock.monotonic();
  }

  /** Checks the head, finds the resource, and lets the request in or holds it. */
  begin(): void {
    const head = readHead(this.#request);
    if (head.kind === "fault") return this.#outcome.malformed(head);
    this.head = head;
    if (this.#client.isSurplus) return this.refuse({ code: "DLX_OVERLOADED" });
    if (readHops(this.#request.headers[lowerHopsHeader]) >= mostHops) return this.refuse({ code: "DLX_LOOP" });
    if (head.path === "*") return this.#outcome.answered({ status: 204, headers: [], body: "" });
    if (!this.#findRoute(head)) void this.#awaitRoute(head);
  }

  /** Back into the waiting room, with the deadline of its arrival: no target is left. */
  holdAgain(): void {
    this.#isHeldAgain = true;
    if (this.#gate !== undefined && this.policy !== undefined) this.#hold(this.#gate, this.policy);
  }

  /** The client has gone, or needs no passage any more. */
  leave(): void {
    this.#holding?.abort();
  }

  /** Ends the request with an error, in the form that its caller reads. */
  refuse(refusal: Refusal): void {
    const { method, headers } = this.#request;
    const caller = isGrpc(headers) ? "grpc" : isNavigation(method, headers) ? "browser" : "api";
    this.#outcome.answered(toRefusalAnswer(refusal, caller));
  }

  #findRoute(head: RequestHead): boolean {
    const match =
      this.#client.origin.route ?? this.#front.table.match(head.authority, head.path, this.#request.headers);
    const gate = match === undefined ? undefined : this.#front.gateOf(match.key);
    if (match === undefined || gate === undefined) return false;
    this.key = match.key;
    this.#gate = gate;
    this.#port = match.route.port;
    this.policy = this.#front.policyOf(match.key);
    this.#trace?.found(match.key);
    this.#enter(gate, head, this.policy);
    return true;
  }

  /** No route: final, unless some scaler has not listed yet. */
  async #awaitRoute(head: RequestHead): Promise<void> {
    const { isStarting, startingRoom } = this.#front;
    if (!isStarting()) return this.refuse({ code: "DLX_NO_ROUTE" });
    const holding = (this.#holding = new AbortController());
    const isDone = (): boolean => this.#findRoute(head) || !isStarting();
    const done = await startingRoom.wait(isDone, holding.signal);
    if (this.#gate !== undefined || holding.signal.aborted) return;
    this.refuse({ code: done ? "DLX_NO_ROUTE" : "DLX_STARTING" });
  }

  #enter(gate: Gate, head: RequestHead, policy: Policy): void {
    const { neverWake } = policy;
    if (neverWake !== undefined) {
      this.#isActivity = !isNeverWake(neverWake, head.path, this.#request, () => this.#address());
    }
    const passage = gate.tryEnter(this.#isActivity ? undefined : notActive, this.#port);
    if (passage !== undefined) this.#outcome.admitted(passage);
    else if (neverWake !== undefined && !this.#isActivity && !gate.awake) {
      this.#outcome.answered(toAsleepAnswer(neverWake));
    } else this.#hold(gate, policy);
  }

  #address(): string {
    const { trusted } = this.#front;
    const forwardedFor = this.#request.headers["x-forwarded-for"];
    return clientAddress(this.#client.peer(trusted), forwardedFor?.toString(), trusted);
  }

  /** Without `async`, whose frames would weigh more than all else that is kept of a held request. */
  #hold(gate: Gate, policy: Policy): void {
    const { method, headers } = this.#request;
    const wantsPage = policy.waitingPage === "auto" && !this.#isHeldAgain && isNavigation(method, headers);
    const patienceMs = wantsPage ? pageAfterMs : isGrpc(headers) ? grpcPatienceMs(headers) : undefined;
    const { signal } = (this.#holding = new AbortController());
    const trace = this.#trace?.hold();
    const options = {
      arrivedAt: this.arrivedAt,
      signal,
      activity: this.#isActivity,
      port: this.#port,
      ...(patienceMs !== undefined && { patienceMs }),
      ...(trace !== undefined && { trace }),
    };
    const onPassage = (passage: Passage): void => {
      if (signal.aborted) return passage.end();
      if (this.cold?.woken !== true) this.cold = passage.cold ?? this.cold;
      this.#outcome.admitted(passage);
    };
    gate
      .hold(options)
      .then(onPassage)
      .catch((error: unknown) => {
        if (!signal.aborted) this.#refuseHeld(gate, toScalerError(error), wantsPage);
      });
  }

  #refuseHeld(gate: Gate, failure: ScalerError, wantsPage: boolean): void {
    if (wantsPage && isPassing(failure)) this.#answerPage(gate);
    else this.refuse({ code: failure.code, resource: this.key, retryAfterMs: failure.retryAfterMs });
  }

  #answerPage(gate: Gate): void {
    gate.poke();
    this.#outcome.answered(toWaitingPage(this.head?.authority ?? "The service", gate.wakeP95Ms));
  }
}

/** Errors after which a page that asks again is the better answer to a person. */
function isPassing({ code }: ScalerError): boolean {
  return code === "DLX_WAKE_TIMEOUT" || code === "DLX_HOLD_FULL" || code === "DLX_OVERLOADED";
}
