/**
 * Numbers that depend on a seed and a name alone. Each thing that happens by chance has a name of its own, so that
 * leaving one thing out of a run changes nothing about the chances of the others.
 */
export class SeededRandom {
  #state: number;

  constructor(seed: number, name: string) {
    this.#state = hash(name, seed);
  }

  /** 0 to 1, exclusive. Mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.next();
  }

  /** A whole number, both ends included. */
  integer(least: number, most: number): number {
    return least + Math.floor((most - least + 1) * this.next());
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(items.length * this.next())];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}

/** FNV-1a over the name, then a finalizer, so that seeds that differ by one have nothing in common. */
function hash(name: string, seed: number): number {
  let value = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let index = 0; index < name.length; index += 1) {
    value = Math.imul(value ^ name.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

/** Numbers from 0 to below 1 that come again with the same seed and name. */
export type Random = () => number;

/** The same as a function. */
export function seededRandom(seed: number, name: string): Random {
  const random = new SeededRandom(seed, name);
  return () => random.next();
}
