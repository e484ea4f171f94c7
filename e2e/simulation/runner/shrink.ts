import type { Scenario } from "../scenario/scenario.ts";
import type { Property } from "../world/checks.ts";
import { runScenario, type RunResult } from "../world/run-scenario.ts";

/** A scenario and the faults of messages that are left of it. */
export interface Shrunk {
  readonly scenario: Scenario;
  /** Names of the messages that may meet a fault. */
  readonly faults: readonly string[];
  /** Runs that were needed. */
  readonly runs: number;
}

/** How many runs a shrinking may take. */
const mostRuns = 600;

/**
 * Leaves out of a failing run whatever it fails without: acts, slow times, faults of messages, then whole parts. What is
 * left fails by the same property.
 */
export async function shrink(scenario: Scenario, failed: RunResult): Promise<Shrunk> {
  const property = failed.violations[0]?.property;
  if (property === undefined) throw new Error(`seed ${String(scenario.seed)} has not failed`);
  const search = new Search(scenario, failed.faults, property);
  return search.run();
}

class Search {
  #scenario: Scenario;
  #faults: readonly string[];
  readonly #property: Property;
  #runs = 0;

  constructor(scenario: Scenario, faults: readonly string[], property: Property) {
    this.#scenario = scenario;
    this.#faults = faults;
    this.#property = property;
  }

  async run(): Promise<Shrunk> {
    await this.#tryAll();
    // What one round has taken out may have been what another thing was needed for.
    await this.#tryAll();
    return { scenario: this.#scenario, faults: this.#faults, runs: this.#runs };
  }

  async #tryAll(): Promise<void> {
    await this.#reduce(this.#faults, (faults) => this.#try(this.#scenario, faults));
    await this.#reduce(this.#scenario.spells, (spells) => this.#try({ ...this.#scenario, spells }));
    await this.#reduce(this.#scenario.acts, (acts) => this.#try({ ...this.#scenario, acts }));
    await this.#simplify();
  }

  async #simplify(): Promise<void> {
    const { autoscalers, dlxs, slowStarts } = this.#scenario;
    if (autoscalers > 1) await this.#try({ ...this.#scenario, autoscalers: 1 });
    if (dlxs > 1) await this.#try({ ...this.#scenario, dlxs: dlxs - 1 });
    if (slowStarts > 0) await this.#try({ ...this.#scenario, slowStarts: 0 });
    if (this.#scenario.propagationMs > 0) await this.#try({ ...this.#scenario, propagationMs: 0 });
  }

  /** Takes out halves, then quarters, down to single items, as long as the rest still fails. */
  async #reduce<Item>(items: readonly Item[], isFailing: (rest: readonly Item[]) => Promise<boolean>): Promise<void> {
    let left = items;
    for (let size = left.length; size >= 1; size = Math.floor(size / 2)) {
      for (let from = 0; from < left.length && this.#runs < mostRuns;) {
        const rest = [...left.slice(0, from), ...left.slice(from + size)];
        if (await isFailing(rest)) left = rest;
        else from += size;
      }
    }
  }

  async #try(scenario: Scenario, faults: readonly string[] = this.#faults): Promise<boolean> {
    if (this.#runs >= mostRuns) return false;
    this.#runs += 1;
    const result = await runScenario(scenario, { onlyFaults: new Set(faults) });
    if (!result.violations.some(({ property }) => property === this.#property)) return false;
    this.#scenario = scenario;
    this.#faults = faults;
    return true;
  }
}
