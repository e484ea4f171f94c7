import { Coverage, emptyCells, encounters, isImpossible, protocolSteps } from "../world/coverage.ts";
import type { RequestCounts } from "../world/request-ledger.ts";
import { plainTable } from "../../harness/plain-table.ts";
import type { SeedReport } from "./pool.ts";

/** Runs after which each cell of the table of encounters should have been met. */
const enoughSeeds = 5_000;

/** Sums over many runs. */
export class SeedTotals {
  readonly failed: SeedReport[] = [];
  seeds = 0;
  steps = 0;
  virtualMs = 0;
  readonly requests: Record<keyof RequestCounts, number> = {
    sent: 0,
    answered: 0,
    refused: 0,
    left: 0,
    cut: 0,
    dark: 0,
  };
  readonly coverage = new Coverage();

  add(report: SeedReport): void {
    this.seeds += 1;
    this.steps += report.steps;
    this.virtualMs += report.tookMs;
    for (const [kind, count] of Object.entries(report.requests)) this.requests[kind as keyof RequestCounts] += count;
    this.coverage.merge(report);
    if (report.violations.length > 0) this.failed.push(report);
  }

  /** Cells that nothing met, once there were runs enough for all. */
  get gaps(): readonly string[] {
    return this.seeds < enoughSeeds ? [] : emptyCells(this.coverage.met);
  }

  toText(seconds: number): string {
    const { sent, answered, refused, left, cut, dark } = this.requests;
    return [
      "what each step of the protocol met, in all runs:",
      this.#encounters(),
      "",
      "how wakes and sleeps ended:",
      this.#endings(),
      "",
      `${number(sent)} requests: ${number(answered)} answered, ${number(refused)} refused with a code, ${number(left)} left by their clients, ` +
        `${number(cut)} cut by the death of a DLX or an instance, ${number(dark)} with nobody there by somebody else's doing`,
      `${number(this.seeds)} seeds, ${number(this.steps)} steps, ${number(this.virtualMs / 3_600_000)} hours of virtual time in ${seconds.toFixed(1)} s: ` +
        `${number(this.seeds / seconds)} seeds and ${number(this.steps / seconds)} steps a second`,
    ].join("\n");
  }

  #encounters(): string {
    const rows = protocolSteps.map((step) => [
      step,
      ...encounters.map((encounter) => {
        const cell = `${step}|${encounter}`;
        return isImpossible(cell) ? "-" : (this.coverage.met.get(cell) ?? 0);
      }),
    ]);
    return plainTable(["", ...encounters], rows);
  }

  #endings(): string {
    const sorted = [...this.coverage.endings].toSorted(([one], [other]) => one.localeCompare(other));
    return plainTable(["", "times"], sorted);
  }
}

function number(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
