import type { ScaleEvent } from "@dormouse/core";
import { request } from "undici";

export type { ScaleEvent } from "@dormouse/core";

/** The events of a host, as its admin API streams them. */
export class Events implements AsyncDisposable {
  readonly all: ScaleEvent[] = [];
  readonly #abort = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #failure: unknown;

  /** Follows `GET /v1/events` of the admin API at this origin, from the host's first event on. */
  static async follow(admin: string): Promise<Events> {
    const events = new Events();
    const { statusCode, body } = await request(`${admin}/v1/events?after=0`, {
      signal: events.#abort.signal,
      headers: { accept: "text/event-stream" },
      bodyTimeout: 0,
    });
    if (statusCode !== 200) throw new Error(`the events answered ${statusCode}: ${await body.text()}`);
    events.#ended = events.#read(body);
    return events;
  }

  /** Events of one kind about one resource of the scaler `local` in the namespace `default`. */
  of(name: string, kind: ScaleEvent["kind"]): readonly ScaleEvent[] {
    return this.all.filter((event) => event.kind === kind && event.resource === `local/default/${name}`);
  }

  /** Sleeps that put the resource to sleep. */
  sleeps(name: string): readonly ScaleEvent[] {
    return this.of(name, "sleep").filter(({ outcome }) => outcome === "done");
  }

  /** Wakes that woke the resource. */
  wakes(name: string): readonly ScaleEvent[] {
    return this.of(name, "wake").filter(({ outcome }) => outcome === "done");
  }

  /** Why the stream ended, where it did. */
  get failure(): unknown {
    return this.#failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#ended;
  }

  async #read(body: AsyncIterable<Buffer>): Promise<void> {
    let rest = "";
    try {
      for await (const chunk of body) {
        const lines = (rest + chunk.toString()).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line.startsWith("data:")) this.#take(line.slice("data:".length));
      }
    } catch (error) {
      this.#failure = error;
    }
  }

  #take(text: string): void {
    this.all.push(JSON.parse(text) as ScaleEvent);
  }
}
