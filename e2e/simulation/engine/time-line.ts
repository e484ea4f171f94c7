import type { Milliseconds } from "@dormouse/core";

/** One thing that happened. */
export interface Moment {
  readonly at: Milliseconds;
  readonly who: string;
  readonly what: string;
}

/** What happened in a run, in order, for a person to read. Bounded: a run that never ends keeps its last part. */
export class TimeLine {
  static readonly longest = 20_000;
  readonly moments: Moment[] = [];
  readonly #now: () => Milliseconds;

  constructor(now: () => Milliseconds) {
    this.#now = now;
  }

  add(who: string, what: string): void {
    if (this.moments.length >= TimeLine.longest) this.moments.splice(0, TimeLine.longest / 2);
    this.moments.push({ at: this.#now(), who, what });
  }

  /** A line for each moment; what is the same again and again stands once, with how often. */
  toText(): string {
    const lines: string[] = [];
    let repeats = 0;
    for (const [index, moment] of this.moments.entries()) {
      const next = this.moments[index + 1];
      if (next !== undefined && next.who === moment.who && next.what === moment.what) {
        repeats += 1;
        continue;
      }
      lines.push(toLine(moment, repeats + 1));
      repeats = 0;
    }
    return lines.join("\n");
  }
}

function toLine({ at, who, what }: Moment, times: number): string {
  const seconds = (at / 1_000).toFixed(4).padStart(9);
  return `${seconds} s  ${who.padEnd(14)} ${what}${times > 1 ? ` (${String(times)} times)` : ""}`;
}
