import type { Context } from "@opentelemetry/api";
import {
  backoffMs,
  type CatalogEntry,
  type Milliseconds,
  type ScaleEvent,
  ScalerError,
  toScalerError,
} from "@dormouse/core";
import type { Book } from "./book.ts";
import type { Claim } from "./claim.ts";
import type { Reached } from "./find-target.ts";
import type { GatePorts } from "./gate-ports.ts";
import { Phases } from "./phases.ts";
import { traceWake } from "./wake-telemetry.ts";
import { wake, type WakeOptions } from "./wake.ts";
import { WakeTimes } from "./wake-times.ts";

/** After a failed wake the next one waits at least so long; requests meanwhile are refused with the cause. */
const failureBackoff = { firstMs: 500, longestMs: 30_000 };

export interface WakeReason {
  /** `request`, `operator` or `dependency`. */
  readonly by: string;
  readonly reason: string;
  /** Trace that the wake belongs to. */
  readonly trace?: Context;
}

/** How a wake ended. */
export type WakeOutcome =
  | { readonly kind: "woken"; readonly claimed: Claim }
  | { readonly kind: "failed"; readonly error: ScalerError };

interface Failure {
  readonly error: ScalerError;
  /** Monotonic ms before which no request starts a new wake. */
  readonly until: Milliseconds;
  readonly attempt: number;
}

export interface WakerOptions {
  readonly ports: GatePorts;
  readonly book: Book;
  readonly entry: () => CatalogEntry;
  readonly wakeDependencies: (signal: AbortSignal) => Promise<void>;
  /** Further ports that requests come for. */
  readonly furtherPorts: () => Iterable<string>;
  /** Takes the licence; `phases` where the resource had to start. False where the claim is void. */
  readonly grant: (
    reached: Reached,
    phases: Readonly<Record<string, Milliseconds>> | undefined,
    fencesWhenSent: number,
  ) => boolean;
  /** Called once after each wake, before anybody who awaits it goes on. */
  readonly ended: (outcome: WakeOutcome) => void;
}

/** The wakes of one resource, one at a time, with their times and the backoff after a failure. */
export class Waker {
  readonly #options: WakerOptions;
  readonly #times = new WakeTimes();
  #running: { readonly ended: Promise<WakeOutcome>; readonly abort: AbortController } | undefined;
  #failure: Failure | undefined;
  #last: ScaleEvent | undefined;

  constructor(options: WakerOptions) {
    this.#options = options;
  }

  /** The wake under way, if there is one; never rejects. */
  get running(): Promise<WakeOutcome> | undefined {
    return this.#running?.ended;
  }

  /** What the last wake failed with, until one succeeds. */
  get failure(): ScalerError | undefined {
    return this.#failure?.error;
  }

  /** Time until a request may start a wake again, in ms; 0: now. */
  get backoffLeftMs(): Milliseconds {
    return this.#failure === undefined ? 0 : Math.max(0, this.#failure.until - this.#options.ports.clock.monotonic());
  }

  /** 95th percentile of the last wakes in ms; undefined before the first. */
  get p95(): Milliseconds | undefined {
    return this.#times.p95;
  }

  get last(): ScaleEvent | undefined {
    return this.#last;
  }

  /** The wake under way, else a new one. Never rejects. */
  run(reason: WakeReason): Promise<WakeOutcome> {
    if (this.#running !== undefined) return this.#running.ended;
    const abort = new AbortController();
    const ended = this.#runToEnd(reason, abort);
    this.#running = { ended, abort };
    return ended;
  }

  /** Ends the wake under way. */
  async stop(reason: ScalerError): Promise<void> {
    this.#running?.abort.abort(reason);
    await this.#running?.ended;
  }

  async #runToEnd(reason: WakeReason, abort: AbortController): Promise<WakeOutcome> {
    await Promise.resolve(); // so that `running` is set before anything of the wake happens
    const outcome = await this.#wake(reason, abort);
    this.#running = undefined;
    this.#options.ended(outcome);
    return outcome;
  }

  async #wake(reason: WakeReason, abort: AbortController): Promise<WakeOutcome> {
    const { ports, entry } = this.#options;
    const { resource, ref, state, key } = entry();
    const phases = new Phases(ports.clock);
    const timer = ports.clock.setTimer(resource.policy.wakeTimeout, () => abort.abort(this.#timedOut()));
    const endOperation = state.kind === "awake" ? () => {} : ports.catalog.beginOperation(ref, "wake");
    let raised = true;
    const grant: WakeOptions["grant"] = (reached, claimed, fences, atOnce) => {
      raised = claimed.from === 0 || !atOnce;
      return this.#options.grant(reached, raised ? phases.toRecord() : undefined, fences);
    };
    try {
      const claimed = await traceWake(key, reason, phases, () => wake(this.#wakeOptions(phases, grant, abort.signal)));
      return this.#woken(reason, claimed, phases, raised);
    } catch (error) {
      return this.#failed(reason, toScalerError(abort.signal.aborted ? abort.signal.reason : error), phases);
    } finally {
      timer.cancel();
      endOperation();
    }
  }

  #wakeOptions(phases: Phases, grant: WakeOptions["grant"], signal: AbortSignal): WakeOptions {
    const { ports, book, entry, wakeDependencies, furtherPorts } = this.#options;
    return {
      ...ports,
      entry,
      book,
      phases,
      grant,
      signal,
      wakeDependencies,
      furtherPorts,
      settled: (aborted) => ports.settled(entry().scaler.capabilities.settleWithinMs, aborted),
    };
  }

  #timedOut(): ScalerError {
    const { key, resource } = this.#options.entry();
    return new ScalerError(
      "DLX_WAKE_TIMEOUT",
      `${key} did not wake within its wakeTimeout of ${resource.policy.wakeTimeout} ms`,
    );
  }

  #woken(reason: WakeReason, claimed: Claim, phases: Phases, raised: boolean): WakeOutcome {
    this.#failure = undefined;
    if (raised) {
      this.#times.add(phases.tookMs);
      this.#record(reason, phases, { outcome: "done", from: claimed.from, to: claimed.to });
    }
    return { kind: "woken", claimed };
  }

  #failed(reason: WakeReason, error: ScalerError, phases: Phases): WakeOutcome {
    const { ports, entry } = this.#options;
    const attempt = (this.#failure?.attempt ?? -1) + 1;
    this.#failure = { error, attempt, until: ports.clock.monotonic() + backoffMs(attempt, failureBackoff) };
    this.#record(reason, phases, { outcome: "failed", code: error.code });
    ports.logger.warn({ resource: entry().key, code: error.code, error: error.message }, "wake failed");
    return { kind: "failed", error };
  }

  #record({ by, reason }: WakeReason, phases: Phases, result: Pick<ScaleEvent, "outcome"> & Partial<ScaleEvent>): void {
    const { ports, entry } = this.#options;
    this.#last = ports.journal.record({
      kind: "wake",
      resource: entry().key,
      by,
      reason,
      tookMs: phases.tookMs,
      phases: phases.toRecord(),
      ...result,
    });
  }
}
