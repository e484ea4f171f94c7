import type { DemoService } from "./demo-service.ts";

/** One start by hand and the wake that came right after it, on a machine that was as busy. In ms. */
export interface Pair {
  /** From the start by hand to the first answer. */
  readonly ownStartMs: number;
  /** From the first request to the sleeping service to its answer. */
  readonly coldMs: number;
  /** Median of the exchanges that followed each. */
  readonly ownWarmMs: number;
  readonly warmMs: number;
}

/** What is known of one service so far. */
export class ServiceTally {
  readonly service: DemoService;
  /** The same server with files and a port of its own, to be started by hand. */
  readonly twin: DemoService;
  readonly pairs: Pair[] = [];
  /** Ids of all exchanges that were answered rightly. */
  readonly answered: string[] = [];
  /** What went wrong, in words. */
  readonly problems: string[] = [];
  cold = 0;
  warm = 0;
  lost = 0;
  /** Times it was seen asleep with its process gone. */
  sleeps = 0;

  constructor(service: DemoService, twin: DemoService) {
    this.service = service;
    this.twin = twin;
  }

  get requests(): number {
    return this.cold + this.warm + this.lost;
  }

  wasAnswered(id: string, isCold: boolean): void {
    this.answered.push(id);
    if (isCold) this.cold++;
    else this.warm++;
  }

  wasLost(problem: string): void {
    this.lost++;
    this.problems.push(problem);
  }
}

/** The middle of some numbers; NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}
