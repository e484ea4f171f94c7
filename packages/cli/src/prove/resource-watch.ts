import { backoffMs, type Clock, type Milliseconds, type ResourceRef } from "@dormouse/core";
import type { WhyReport } from "../admin/why-report.ts";
import type { AdminClient } from "../client/admin-client.ts";
import { AdminFailure } from "../client/admin-failure.ts";
import { withDeadline } from "./with-deadline.ts";

/** How long the admin API may take to say how things are, in ms. */
const answerWithinMs = 10_000;

/** How often a host that does not answer is asked again: about 10 s in all, as long as a restart takes. */
const mostTries = 6;

/** Looks at one resource by the admin API. */
export class ResourceWatch {
  readonly #client: Pick<AdminClient, "why">;
  readonly #ref: ResourceRef;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  constructor(client: Pick<AdminClient, "why">, ref: ResourceRef, clock: Clock, signal: AbortSignal) {
    this.#client = client;
    this.#ref = ref;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** How the resource is now; rejects with AdminFailure once the host has been away for long, or the signal's reason. */
  async look(): Promise<WhyReport> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#ask();
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!(error instanceof AdminFailure) || error.code !== undefined || attempt + 1 >= mostTries) throw error;
        await this.pause(backoffMs(attempt, { firstMs: 500, longestMs: 4_000 }));
      }
    }
  }

  /** Rejects with the signal's reason. */
  pause(ms: Milliseconds): Promise<void> {
    return this.#clock.sleep(ms, this.#signal);
  }

  #ask(): Promise<WhyReport> {
    const late = "it does not answer";
    const deadline = { clock: this.#clock, limitMs: answerWithinMs, signal: this.#signal, late };
    return withDeadline(deadline, (signal) => this.#client.why(this.#ref, signal));
  }
}

/** Whether a resource has been asleep between two looks, or is so now. */
export function hasSlept(before: WhyReport, now: WhyReport): boolean {
  const sleeps = now.state === "asleep" || now.state === "sleeping";
  const slept = now.lastSleep?.outcome === "done" && now.lastSleep.id !== before.lastSleep?.id;
  return sleeps || slept || hasWoken(before, now);
}

/** Whether a resource has been woken between two looks. */
export function hasWoken(before: WhyReport, now: WhyReport): boolean {
  return now.lastWake?.outcome === "done" && now.lastWake.id !== before.lastWake?.id;
}
