import { isErrorCode, type Milliseconds } from "@dormouse/core";
import type { SimulatedProcess } from "../engine/simulated-process.ts";

/** What a client asks for. */
export interface RequestPlan {
  readonly resource: string;
  readonly method: "GET" | "POST" | "PUT";
  readonly body: "none" | "small";
  /** How long the application works on it. */
  readonly workMs: Milliseconds;
  /** After so long its client goes away; left out: it waits. */
  readonly leavesAfterMs?: Milliseconds;
}

/**
 * How a request ended for its client. `answered`: by the application, with this very id; `refused`: by a DLX, with a code;
 * `left`: the client went; `cut`: the connection broke; `dark`: nobody took the connection.
 */
export type Ending =
  | { readonly kind: "answered" }
  | { readonly kind: "refused"; readonly status: number; readonly code: string }
  | { readonly kind: "left" }
  | { readonly kind: "cut"; readonly cause: string }
  | { readonly kind: "dark"; readonly cause: string };

/** One execution of a request by an application. */
export interface Executed {
  readonly instance: string;
  readonly at: Milliseconds;
  /** Why no answer of it came back; undefined: it did, or is on its way. */
  failure: string | undefined;
}

/** One request of a client with all that became of it. */
export class ClientRequest {
  readonly id: string;
  readonly plan: RequestPlan;
  readonly sentAt: Milliseconds;
  readonly executions: Executed[] = [];
  readonly endings: Ending[] = [];
  endedAt: Milliseconds | undefined;
  /** The DLX that took it. */
  through: SimulatedProcess | undefined;
  /** How long that one had rested before. */
  restedBeforeMs = 0;
  /** It was sent after all faults had ended. */
  readonly isProbe: boolean;

  constructor(id: string, plan: RequestPlan, sentAt: Milliseconds, isProbe: boolean) {
    this.id = id;
    this.plan = plan;
    this.sentAt = sentAt;
    this.isProbe = isProbe;
  }

  get ended(): boolean {
    return this.endings.length > 0;
  }

  get isHonest(): boolean {
    const [ending] = this.endings;
    return ending?.kind !== "refused" || (isErrorCode(ending.code) && ending.status >= 400);
  }
}

/** How many requests ended in which way. */
export interface RequestCounts {
  readonly sent: number;
  readonly answered: number;
  readonly refused: number;
  readonly left: number;
  readonly cut: number;
  readonly dark: number;
}

/** Keeps book of every request of a run. */
export class RequestLedger {
  readonly requests: ClientRequest[] = [];
  readonly #now: () => Milliseconds;

  constructor(now: () => Milliseconds) {
    this.#now = now;
  }

  open(plan: RequestPlan, isProbe: boolean): ClientRequest {
    const request = new ClientRequest(`r${String(this.requests.length + 1)}`, plan, this.#now(), isProbe);
    this.requests.push(request);
    return request;
  }

  end(request: ClientRequest, ending: Ending): void {
    request.endings.push(ending);
    request.endedAt ??= this.#now();
  }

  get running(): readonly ClientRequest[] {
    return this.requests.filter((request) => !request.ended);
  }

  find(id: string): ClientRequest | undefined {
    return this.requests[Number(id.slice(1)) - 1];
  }

  count(): RequestCounts {
    const counts = { sent: this.requests.length, answered: 0, refused: 0, left: 0, cut: 0, dark: 0 };
    for (const { endings } of this.requests) {
      const [first] = endings;
      if (first !== undefined) counts[first.kind] += 1;
    }
    return counts;
  }
}
