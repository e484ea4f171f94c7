import { context } from "@opentelemetry/api";
import type { Clock, Milliseconds } from "./clock.ts";
import type { GuardedCall, GuardedCalls } from "./guarded-calls.ts";
import type { ResourceChange, ResourceScaler } from "./resource-scaler.ts";
import { checkAnswer, checkChange } from "./scaler-answer.ts";
import { ScalerError } from "./scaler-error.ts";

export interface GuardedWatchOptions {
  readonly id: string;
  readonly calls: GuardedCalls;
  readonly clock: Clock;
  /** How long the first snapshot may take. */
  readonly timeoutMs: Milliseconds;
}

/**
 * A plugin's watch behind the guard. It ends promptly once the signal aborts, and throws once the scaler is closed, the
 * snapshot takes too long or a change is not of the contract's form, even where the plugin hangs. What is measured is
 * the time to the snapshot.
 */
export async function* guardWatch(
  watch: NonNullable<ResourceScaler["watchResources"]>,
  signal: AbortSignal | undefined,
  { id, calls, clock, timeoutMs }: GuardedWatchOptions,
): AsyncGenerator<ResourceChange, void, undefined> {
  const isGivenUp = (): boolean => signal?.aborted === true;
  if (isGivenUp()) return;
  const call: GuardedCall = { name: "watchResources", signal, timeoutMs };
  calls.assertOpen(call);
  const measured = calls.measure(call);
  const abort = new AbortController();
  const end = new EndSwitch();
  const stopListening = calls.listenForEnd(call, (reason) => end.throw(reason));
  const timer = clock.setTimer(timeoutMs, () => end.throw(calls.timeoutError(call)));
  let changes: AsyncIterator<ResourceChange> | undefined;
  try {
    changes = context.with(measured.context, () => watch({ signal: abort.signal })[Symbol.asyncIterator]());
    for (let isFirst = true; ; isFirst = false) {
      const next = await end.race(Promise.resolve(changes.next()));
      if (next.done === true) break;
      const change = checkAnswer(id, call.name, next.value, checkChange);
      if (isFirst && change.kind !== "snapshot")
        throw new ScalerError(
          "SCALER_INTERNAL",
          `watchResources of scaler "${id}" began with "${change.kind}", not with a snapshot`,
        );
      timer.cancel();
      measured.end("ok");
      yield change;
    }
    measured.end("ended");
  } catch (error) {
    const failure = calls.toFailure(call.name, error);
    measured.end(failure.code, failure);
    if (!isGivenUp()) throw failure;
  } finally {
    timer.cancel();
    stopListening();
    abort.abort();
    measured.end("ended");
    changes?.return?.().catch(() => {});
  }
}

/** Ends one pending wait from outside. Holds no promise of its own, since racing one for hours would collect reactions on it. */
class EndSwitch {
  #reason: ScalerError | undefined;
  #reject: ((reason: ScalerError) => void) | undefined;

  throw(reason: ScalerError): void {
    this.#reason ??= reason;
    this.#reject?.(this.#reason);
  }

  async race<Result>(work: Promise<Result>): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#reject = reject;
    if (this.#reason !== undefined) reject(this.#reason);
    work.then(resolve, reject);
    try {
      return await promise;
    } finally {
      this.#reject = undefined;
    }
  }
}
