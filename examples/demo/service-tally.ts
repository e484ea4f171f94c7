import type { DemoService } from "./demo-service.ts";
import type { DirectRun } from "./direct-start.ts";

/** What is known of one service so far. Times in ms. */
export class ServiceTally {
  readonly service: DemoService;
  /** Its runs without Dormouse. */
  readonly direct: DirectRun[] = [];
  /** First answers of a sleeping service. */
  readonly coldMs: number[] = [];
  readonly warmMs: number[] = [];
  /** Ids of all exchanges that were answered rightly. */
  readonly answered: string[] = [];
  /** What went wrong, in words. */
  readonly problems: string[] = [];
  cold = 0;
  warm = 0;
  lost = 0;
  /** Times it was seen asleep with its process gone. */
  sleeps = 0;

  constructor(service: DemoService) {
    this.service = service;
  }

  get requests(): number {
    return this.cold + this.warm + this.lost;
  }

  answeredCold(id: string): void {
    this.answered.push(id);
    this.cold++;
  }

  answeredWarm(id: string): void {
    this.answered.push(id);
    this.warm++;
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
