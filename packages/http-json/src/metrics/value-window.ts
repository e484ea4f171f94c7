import type { Milliseconds } from "@dormouse/core";

/** Stretches that are kept apart; beyond it two neighbours become one, which keeps their highest and their sum. */
const mostStretches = 512;

/** A time through which a value held, or through which several are kept together. */
interface Stretch {
  readonly from: Milliseconds;
  readonly to: Milliseconds;
  readonly highest: number;
  /** Value times ms. */
  readonly area: number;
}

/**
 * What a number was within a window, out of values that come one at a time. A value holds until the next one comes. There is
 * an answer only once what was seen reaches back over the whole window without a gap longer than half of it.
 */
export class ValueWindow {
  readonly #windowMs: Milliseconds;
  /** By time rising, one ending where the next begins. */
  #stretches: Stretch[] = [];
  #newest: { readonly at: Milliseconds; readonly value: number } | undefined;

  constructor(windowMs: Milliseconds) {
    this.#windowMs = windowMs;
  }

  /** @param at monotonic ms @param standsForMs how much of the past the value speaks for */
  add(at: Milliseconds, value: number, standsForMs: Milliseconds): void {
    const newest = this.#newest;
    const now = Math.max(at, newest?.at ?? at);
    const from = now - standsForMs;
    if (newest === undefined || from - newest.at > this.#windowMs / 2) {
      this.#stretches = [];
      this.#push(from, now, value);
    } else {
      const until = Math.max(from, newest.at);
      this.#push(newest.at, until, newest.value);
      this.#push(until, now, value);
    }
    this.#newest = { at: now, value };
    this.#forgetBefore(now - this.#windowMs);
  }

  /** The highest value of the window that ends with the newest; undefined: not all of it was seen. */
  get highest(): number | undefined {
    if (this.#newest === undefined || !this.#isCovered) return undefined;
    return Math.max(this.#newest.value, ...this.#stretches.map((stretch) => stretch.highest));
  }

  /** The mean over the time of the window; undefined: not all of it was seen. */
  get average(): number | undefined {
    if (this.#newest === undefined || !this.#isCovered) return undefined;
    const begin = this.#newest.at - this.#windowMs;
    let area = 0;
    let ms = 0;
    for (const { from, to, area: whole } of this.#stretches) {
      const part = (to - Math.max(from, begin)) / (to - from);
      area += whole * part;
      ms += (to - from) * part;
    }
    return ms === 0 ? this.#newest.value : area / ms;
  }

  get #isCovered(): boolean {
    if (this.#newest === undefined) return false;
    const seenFrom = this.#stretches[0]?.from ?? this.#newest.at;
    return seenFrom <= this.#newest.at - this.#windowMs;
  }

  #push(from: Milliseconds, to: Milliseconds, value: number): void {
    if (to <= from) return;
    this.#stretches.push({ from, to, highest: value, area: value * (to - from) });
    if (this.#stretches.length > mostStretches) this.#stretches = inPairs(this.#stretches);
  }

  #forgetBefore(begin: Milliseconds): void {
    const kept = this.#stretches.findIndex(({ to }) => to > begin);
    this.#stretches.splice(0, kept === -1 ? this.#stretches.length : kept);
  }
}

function inPairs(stretches: readonly Stretch[]): Stretch[] {
  const pairs: Stretch[] = [];
  for (let index = 0; index < stretches.length; index += 2) {
    const [one, other] = [stretches[index], stretches[index + 1]];
    if (one !== undefined) pairs.push(other === undefined ? one : joined(one, other));
  }
  return pairs;
}

function joined(one: Stretch, other: Stretch): Stretch {
  return { from: one.from, to: other.to, highest: Math.max(one.highest, other.highest), area: one.area + other.area };
}
