/** Numbers that look random and come again with the same seed. */
export type Random = () => number;

/** Numbers from 0 to below 1, other ones for each name (mulberry32, seeded by FNV-1a). */
export function seededRandom(seed: number, name: string): Random {
  let hash = (2_166_136_261 ^ seed) >>> 0;
  for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 16_777_619) >>> 0;
  return () => {
    hash = (hash + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(hash ^ (hash >>> 15), hash | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
