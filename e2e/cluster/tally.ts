import type { BurstResult } from "./caller/send-burst.ts";
import type { Finding } from "./proof.ts";

/** Collects what became of requests and what was not as claimed. */
export class Tally {
  readonly #answered: string[] = [];
  readonly #failures: string[] = [];
  readonly #remarks: string[] = [];
  readonly #problems: string[] = [];
  #rounds = 0;
  #doubled = 0;

  countRound(): void {
    this.#rounds += 1;
  }

  get rounds(): number {
    return this.#rounds;
  }

  add({ ids, failures }: BurstResult): void {
    const failed = new Set(failures.map(({ id }) => id));
    this.#answered.push(...ids.filter((id) => !failed.has(id)));
    this.#failures.push(...failures.map(({ id, what }) => `${id}: ${what}`));
  }

  /** Takes in what another one has, once that is complete. */
  merge(other: Tally): void {
    this.#answered.push(...other.#answered);
    this.#failures.push(...other.#failures);
    this.#remarks.push(...other.#remarks);
    this.#problems.push(...other.#problems);
    this.#rounds += other.#rounds;
    this.#doubled += other.#doubled;
  }

  remark(text: string): void {
    this.#remarks.push(text);
  }

  /** Notes the text where the claim does not hold. */
  claim(holds: boolean, text: string): void {
    if (!holds) this.#problems.push(text);
  }

  /**
   * Compares with what the service wrote down.
   *
   * @param mayRepeat whether a GET that broke off may have been sent again, as it may where a Pod dies
   */
  compare(ledger: readonly string[], mayRepeat = false): void {
    const times = new Map<string, number>();
    for (const id of ledger) times.set(id, (times.get(id) ?? 0) + 1);
    const unwritten = this.#answered.filter((id) => !times.has(id));
    this.claim(unwritten.length === 0, `answered and never executed: ${some(unwritten)}`);
    const doubled = [...times].filter(([, count]) => count > 1).map(([id]) => id);
    if (mayRepeat) return;
    this.#doubled += doubled.length;
    this.claim(doubled.length === 0, `executed twice: ${some(doubled)}`);
  }

  toFinding(): Finding {
    const lost = this.#failures.length;
    const problems = lost === 0 ? this.#problems : [`lost: ${some(this.#failures)}`, ...this.#problems];
    return {
      rounds: this.#rounds,
      requests: this.#answered.length + lost,
      lost,
      doubled: this.#doubled,
      remarks: this.#remarks,
      problems,
    };
  }
}

function some(texts: readonly string[]): string {
  return `${String(texts.length)} (${texts.slice(0, 5).join("; ")})`;
}
