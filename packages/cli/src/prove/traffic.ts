import type { Clock, Milliseconds } from "@dormouse/core";
import type { EchoPlace } from "./echo.ts";
import { judgeReply } from "./judge-reply.ts";
import type { Reply } from "./reply.ts";
import type { RequestIds } from "./request-id.ts";
import type { Tally } from "./tally.ts";

/** What traffic is made of. */
export interface TrafficOptions {
  readonly client: { send(id: string, signal: AbortSignal): Promise<Reply> };
  readonly echo: EchoPlace;
  readonly ids: RequestIds;
  readonly tally: Tally;
  readonly clock: Clock;
  /** Requests that may be open at once; a stream waits at this bound. */
  readonly mostOpen: number;
  /** Gives up what is open. */
  readonly signal: AbortSignal;
}

/** Sends requests and keeps book of what becomes of each. */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly #open = new Set<Promise<void>>();

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  /** Requests that were answered after a wait for a wake. */
  get cold(): number {
    return this.#options.tally.coldMs.length;
  }

  /** Sends one request, after so many ms; never rejects. */
  send(afterMs: Milliseconds = 0): Promise<void> {
    const sent = this.#attempt(afterMs);
    this.#open.add(sent);
    return sent.finally(() => this.#open.delete(sent));
  }

  /** Sends so many at once, as far as the bound allows. */
  async burst(count: number): Promise<void> {
    const free = Math.max(0, this.#options.mostOpen - this.#open.size);
    await Promise.all(Array.from({ length: Math.min(count, free) }, () => this.send()));
  }

  /** Sends so many a second, at jittered moments, until the signal aborts. Never rejects. */
  async stream(ratePerSecond: number, signal: AbortSignal): Promise<void> {
    const { clock, mostOpen } = this.#options;
    const meanMs = 1_000 / ratePerSecond;
    let due = clock.monotonic();
    while (!signal.aborted) {
      if (this.#open.size < mostOpen) void this.send();
      // What could not be sent in time is not made up for all at once.
      due = Math.max(due + meanMs * (0.5 + Math.random()), clock.monotonic() - 1_000);
      await clock.sleep(Math.max(0, due - clock.monotonic()), signal).catch(() => {});
    }
  }

  /** Resolves once all have ended that were sent so far. */
  async ended(): Promise<void> {
    await Promise.all(this.#open);
  }

  async #attempt(afterMs: Milliseconds): Promise<void> {
    const { client, echo, ids, tally, clock, signal } = this.#options;
    if (afterMs > 0) await clock.sleep(afterMs, signal).catch(() => {});
    if (signal.aborted) return;
    const id = ids.next();
    const begin = clock.monotonic();
    const reply = await client.send(id, signal);
    const wasGivenUp = reply.kind === "broken" && signal.aborted;
    tally.record(id, wasGivenUp ? { kind: "abandoned" } : judgeReply(id, reply, echo), clock.monotonic() - begin);
  }
}
