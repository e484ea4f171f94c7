import type { Milliseconds } from "@dormouse/core";
import type { Outcome } from "./judge-reply.ts";

/** One request that did not end as it should, and what came. */
export interface Offence {
  readonly id: string;
  readonly what: string;
}

/** How many offences are kept in words; all are counted. */
const keptOffences = 10;

/** What became of all requests of a run. */
export class Tally {
  answered = 0;
  lost = 0;
  swapped = 0;
  /** Given up by this side. */
  abandoned = 0;
  readonly statuses = new Map<number, number>();
  /** Refusals by code. */
  readonly refused = new Map<string, number>();
  readonly coldMs: Milliseconds[] = [];
  readonly warmMs: Milliseconds[] = [];
  readonly offences: Offence[] = [];
  /** Ids of what was answered; left out where no ledger is compared with them. */
  readonly answeredIds: Set<string> | undefined;
  readonly #phases = new Map<string, { sumMs: Milliseconds; count: number }>();

  constructor({ keepsIds = false }: { readonly keepsIds?: boolean } = {}) {
    this.answeredIds = keepsIds ? new Set() : undefined;
  }

  get refusals(): number {
    return [...this.refused.values()].reduce((sum, count) => sum + count, 0);
  }

  /** All that have ended. */
  get sent(): number {
    return this.answered + this.refusals + this.lost + this.swapped + this.abandoned;
  }

  /** Mean of what cold requests waited for, in ms. */
  get phasesMs(): Readonly<Record<string, Milliseconds>> {
    return Object.fromEntries([...this.#phases].map(([name, { sumMs, count }]) => [name, sumMs / count]));
  }

  /** @param tookMs to the end of the answer */
  record(id: string, outcome: Outcome, tookMs: Milliseconds): void {
    switch (outcome.kind) {
      case "answered":
        return this.#answered(id, outcome, tookMs);
      case "refused":
        return increment(this.refused, outcome.code);
      case "swapped":
      case "lost":
        this[outcome.kind] += 1;
        if (this.offences.length < keptOffences) this.offences.push({ id, what: `${outcome.kind}: ${outcome.what}` });
        return;
      case "abandoned":
        this.abandoned += 1;
    }
  }

  #answered(id: string, { status, isCold, phases }: Outcome & { kind: "answered" }, tookMs: Milliseconds): void {
    this.answered += 1;
    this.answeredIds?.add(id);
    increment(this.statuses, status);
    (isCold ? this.coldMs : this.warmMs).push(tookMs);
    for (const [name, ms] of Object.entries(phases)) {
      const { sumMs = 0, count = 0 } = this.#phases.get(name) ?? {};
      this.#phases.set(name, { sumMs: sumMs + ms, count: count + 1 });
    }
  }
}

function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
