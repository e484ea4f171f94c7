import { readFileSync } from "node:fs";
import { Agent, request } from "undici";

/** What became of one request. */
export interface Sent {
  readonly id: string;
  readonly outcome: "answered" | "refused" | "lost";
  readonly status: number | undefined;
  readonly tookMs: number;
  readonly code?: string | undefined;
  readonly cold: boolean;
  readonly retryAfter?: string | undefined;
  readonly detail?: string | undefined;
}

export interface TrafficOptions {
  /** `http://127.0.0.1:PORT` of the DLX. */
  readonly origin: string;
  readonly host: string;
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
}

let counter = 0;

/** Sends requests that carry ids and keeps book of what became of each. */
export class Traffic {
  readonly sent: Sent[] = [];
  readonly #agent = new Agent({ connections: 6_000, headersTimeout: 0, bodyTimeout: 0 });

  /** Sends one request. Answered: the service itself answered, and with this very id. */
  async send(options: TrafficOptions): Promise<Sent> {
    const id = `r${process.pid}-${(counter += 1)}`;
    const begin = performance.now();
    const sent = await this.#attempt(id, options, begin);
    this.sent.push(sent);
    return sent;
  }

  /** How many requests ended in each way. */
  count(): Record<Sent["outcome"], number> {
    const counts = { answered: 0, refused: 0, lost: 0 };
    for (const { outcome } of this.sent) counts[outcome] += 1;
    return counts;
  }

  /** Answered requests that a service's ledger does not hold exactly once, and any id that it holds more than once. */
  discrepancies(ledgers: readonly string[]): readonly string[] {
    const executed = new Map<string, number>();
    for (const ledger of ledgers) for (const id of readLines(ledger)) executed.set(id, (executed.get(id) ?? 0) + 1);
    const twice = [...executed].filter(([, times]) => times > 1).map(([id, times]) => `${id} was executed ${times} times`);
    const missing = this.sent.filter(({ id, outcome }) => outcome === "answered" && !executed.has(id)).map(({ id }) => `${id} was answered and never executed`);
    return [...twice, ...missing];
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #attempt(id: string, options: TrafficOptions, begin: number): Promise<Sent> {
    try {
      const response = await request(`${options.origin}${options.path ?? "/"}`, {
        dispatcher: this.#agent,
        method: (options.method ?? "GET") as "GET",
        headers: { host: options.host, "x-request-id": id },
        ...(options.body === undefined ? {} : { body: options.body }),
      });
      const text = await response.body.text();
      return judge(id, response.statusCode, response.headers, text, performance.now() - begin);
    } catch (error) {
      return { id, outcome: "lost", status: undefined, tookMs: performance.now() - begin, cold: false, detail: String(error) };
    }
  }
}

function judge(id: string, status: number, headers: Record<string, string | string[] | undefined>, text: string, tookMs: number): Sent {
  const cold = headers["x-dormouse-cold-start"] === "true";
  const body = parse(text);
  if (status === 200 && body?.["id"] === id) return { id, outcome: "answered", status, tookMs, cold };
  const retryAfter = headers["retry-after"];
  const code = typeof body?.["code"] === "string" ? body["code"] : undefined;
  const honest = headers["content-type"] === "application/problem+json" && code !== undefined;
  return { id, outcome: honest ? "refused" : "lost", status, tookMs, cold, code, retryAfter: typeof retryAfter === "string" ? retryAfter : undefined, detail: text.slice(0, 200) };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter((line) => line !== "");
  } catch {
    return [];
  }
}
