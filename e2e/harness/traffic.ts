import { Agent, request } from "undici";
import { readLedger } from "./ledger.ts";

/**
 * What became of one request. Answered: by the service, with this very id. Refused: by the DLX, with a code. Lost: neither,
 * which covers broken connections and answers that nobody should get.
 */
export type Outcome = "answered" | "refused" | "lost";

export interface Sent {
  readonly id: string;
  readonly outcome: Outcome;
  readonly method: string;
  readonly status?: number;
  /** Milliseconds of `performance.now()`. */
  readonly beganAt: number;
  readonly tookMs: number;
  readonly cold: boolean;
  /** Code of a refusal. */
  readonly code?: string;
  /** Seconds, as the header says them. */
  readonly retryAfter?: string;
  /** The service's own answer, or the text of whatever else came. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface TrafficOptions {
  /** `http://127.0.0.1:PORT` of the DLX. */
  readonly origin: string;
  readonly host: string;
  /** How long a request may take before its client gives up, and it is lost; left out: for ever. */
  readonly limitMs?: number;
  /** Whether an answer is the service's own to this id; by default a 200 with a JSON object of this `id`. */
  readonly isAnswer?: (id: string, answer: ServiceAnswer) => boolean;
}

export interface SendOptions {
  readonly host?: string;
  readonly method?: string;
  readonly path?: string;
  /** As text, or made of the request's id. */
  readonly body?: string | ((id: string) => string);
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What came back, before anybody knows from whom. */
export interface ServiceAnswer {
  readonly status: number;
  readonly text: string;
  /** The text as JSON object; the text itself under `text` where it is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Tells our ids from whatever else a ledger holds. */
const idPrefix = `r${process.pid}-`;

let lastId = 0;

/** An id that no other request has. */
export function nextId(): string {
  lastId += 1;
  return `${idPrefix}${lastId}`;
}

/** The ids of requests among the lines of a ledger. */
export function idsOf(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.startsWith(idPrefix));
}

/** Sends requests that carry ids, and keeps book of what became of each. */
export class Traffic implements AsyncDisposable {
  readonly sent: Sent[] = [];
  readonly #options: TrafficOptions;
  readonly #agent = new Agent({ connections: 6_000, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  #open = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  /** Requests that have not ended. */
  get open(): number {
    return this.#open;
  }

  /** Sends one request; never rejects. */
  async send(options: SendOptions = {}): Promise<Sent> {
    const id = nextId();
    const begin = performance.now();
    this.#open += 1;
    const sent = await this.#attempt(id, options, begin);
    this.#open -= 1;
    this.sent.push(sent);
    return sent;
  }

  /** Sends so many at once. */
  async burst(count: number, options: SendOptions = {}): Promise<readonly Sent[]> {
    return Promise.all(Array.from({ length: count }, async () => this.send(options)));
  }

  /** How many requests ended in each way. */
  count(): Record<Outcome, number> {
    const counts = { answered: 0, refused: 0, lost: 0 };
    for (const { outcome } of this.sent) counts[outcome] += 1;
    return counts;
  }

  /** Requests that ended in this way. */
  of(outcome: Outcome): readonly Sent[] {
    return this.sent.filter((one) => one.outcome === outcome);
  }

  /** What speaks against "each answered request was executed once, and none twice" in the services' ledgers; empty: nothing. */
  discrepancies(ledgers: readonly string[]): readonly string[] {
    const executed = new Map<string, number>();
    for (const id of idsOf(ledgers.flatMap(readLedger))) executed.set(id, (executed.get(id) ?? 0) + 1);
    const twice = [...executed]
      .filter(([, times]) => times > 1)
      .map(([id, times]) => `${id} was executed ${times} times`);
    const missing = this.of("answered").filter(({ id }) => !executed.has(id));
    return [...twice, ...missing.map(({ id }) => `${id} was answered and never executed`)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  async #attempt(id: string, options: SendOptions, begin: number): Promise<Sent> {
    const { host = this.#options.host, method = "GET", path = "/", body, headers } = options;
    const { limitMs, isAnswer } = this.#options;
    const signal = options.signal ?? (limitMs === undefined ? undefined : AbortSignal.timeout(limitMs));
    const common = { id, method, beganAt: begin };
    try {
      const response = await request(`${this.#options.origin}${path}`, {
        dispatcher: this.#agent,
        method: method as "GET",
        headers: { host, "x-request-id": id, ...headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : body(id) }),
        ...(signal === undefined ? {} : { signal }),
      });
      const text = await response.body.text();
      const answer = { status: response.statusCode, headers: response.headers, text };
      return { ...common, ...judge(id, answer, isAnswer), tookMs: performance.now() - begin };
    } catch (error) {
      return {
        ...common,
        outcome: "lost",
        tookMs: performance.now() - begin,
        cold: false,
        body: { error: String(error) },
      };
    }
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

function judge(
  id: string,
  { status, headers, text }: Answer,
  isAnswer: NonNullable<TrafficOptions["isAnswer"]> = isEcho,
): Omit<Sent, "id" | "method" | "beganAt" | "tookMs"> {
  const body = parse(text);
  const cold = headers["x-dormouse-cold-start"] === "true";
  if (isAnswer(id, { status, text, body })) return { outcome: "answered", status, cold, body };
  const { code } = body;
  const isHonest = headers["content-type"] === "application/problem+json" && typeof code === "string";
  const retryAfter = headers["retry-after"];
  return {
    outcome: isHonest ? "refused" : "lost",
    status,
    cold,
    body,
    ...(isHonest ? { code } : {}),
    ...(typeof retryAfter === "string" ? { retryAfter } : {}),
  };
}

function isEcho(id: string, { status, body }: ServiceAnswer): boolean {
  return status === 200 && body["id"] === id;
}

/** Text that is no JSON object is kept as it is. */
function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { text: text.slice(0, 500) };
  }
}
