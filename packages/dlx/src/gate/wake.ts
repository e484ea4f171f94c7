import type { CatalogEntry, Clock, ResourceCatalog, SleepGate } from "@dormouse/core";
import type { Book } from "./book.ts";
import { type Claim, claim } from "./claim.ts";
import type { Dial } from "./dial.ts";
import { findTarget, type Reached } from "./find-target.ts";
import type { Phases } from "./phases.ts";

export interface WakeOptions {
  readonly entry: () => CatalogEntry;
  readonly catalog: ResourceCatalog;
  readonly clock: Clock;
  readonly dial: Dial;
  readonly book: Book;
  /** Further ports that requests come for. */
  readonly furtherPorts: () => Iterable<string>;
  readonly sleepGate: SleepGate;
  readonly phases: Phases;
  /** Resolves once this DLX may claim: it has seen itself in the list of DLXs. */
  readonly listed: (signal: AbortSignal) => Promise<void>;
  /** Wakes what the resource depends on, each with a claim of its own. */
  readonly wakeDependencies: (signal: AbortSignal) => Promise<void>;
  /** For a scaler without compare-and-set: resolves once no call of an earlier process can have an effect any more. */
  readonly settled: (signal: AbortSignal) => Promise<void>;
  /** Takes the licence and releases what is held, in one synchronous step; false where a fence came meanwhile. */
  readonly grant: (reached: Reached, claimed: Claim, fencesWhenSent: number, atOnce: boolean) => boolean;
  readonly signal: AbortSignal;
}

/**
 * One whole wake: dependencies, claim, dial, licence. A fence at any moment voids the claim and a new one is made; a
 * count of 0 after the claim likewise. Rejects with the scaler's or platform's failure, or with the signal's reason.
 */
export async function wake(options: WakeOptions): Promise<Claim> {
  const { phases, signal, book, entry, clock } = options;
  await phases.timeIfAny("listed", () => options.listed(signal));
  for (;;) {
    await phases.timeIfAny("dependencies", () => options.wakeDependencies(signal));
    const endWake = await phases.timeIfAny("mutex", () => untilOpen(options));
    try {
      const fences = book.fences;
      const claimed = await phases.time("claim", () => claim(entry, { clock, signal }));
      if (book.fences !== fences) continue;
      const isFenced = (): boolean => book.fences !== fences;
      const found = await phases.time("start", () => findTarget({ ...options, isFenced }));
      if (found.kind === "reached" && options.grant(found, claimed, fences, found.rounds === 1)) return claimed;
    } finally {
      endWake();
    }
  }
}

/**
 * Without compare-and-set a wake waits for the end of a sleep under way and for late effects of an earlier process, and
 * keeps others from closing the gate behind it until the result is called.
 */
async function untilOpen({ entry, sleepGate, settled, signal }: WakeOptions): Promise<() => void> {
  const { scaler, ref } = entry();
  if (scaler.capabilities.compareAndSet) return () => {};
  await settled(signal);
  for (let open = sleepGate.whenOpen(ref); open !== undefined; open = sleepGate.whenOpen(ref))
    await abortable(open, signal);
  return sleepGate.beginWake(ref);
}

function abortable(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
