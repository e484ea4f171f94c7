import { request } from "undici";
import { until } from "./until.ts";

/** A stream of server-sent events through the DLX. */
export class EventSource implements AsyncDisposable {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly #abort: AbortController;
  readonly #ended: Promise<void>;
  #events = 0;
  #isOpen = true;

  private constructor(response: Awaited<ReturnType<typeof request>>, abort: AbortController) {
    this.status = response.statusCode;
    this.headers = response.headers;
    this.#abort = abort;
    this.#ended = this.#read(response.body);
  }

  /** Resolves once the head of the answer came. */
  static async open(origin: string, host: string): Promise<EventSource> {
    const abort = new AbortController();
    const options = {
      headers: { host, accept: "text/event-stream" },
      signal: abort.signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    return new EventSource(await request(`${origin}/events`, options), abort);
  }

  /** Events so far. */
  get events(): number {
    return this.#events;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves once so many more events came. */
  async more(count: number): Promise<void> {
    const goal = this.#events + count;
    await until(
      () => `${goal} events came, but ${this.#events}`,
      () => this.#events >= goal,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#ended;
  }

  async #read(body: AsyncIterable<Buffer>): Promise<void> {
    try {
      for await (const chunk of body) this.#events += chunk.toString().split("data:").length - 1;
    } catch {
      // Closed by this side, or cut by the other.
    }
    this.#isOpen = false;
  }
}
