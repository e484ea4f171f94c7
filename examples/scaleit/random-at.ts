import { createHash } from "node:crypto";

/**
 * A number from 0 to below 1 that depends on nothing but its name: the seed, what it is for, and which of those it is.
 * Whoever draws one changes nothing about the others, so the simulated server is the same however often it is asked.
 */
export function randomAt(seed: number, name: string, index: number): number {
  const digest = createHash("sha256")
    .update(`${String(seed)}/${name}/${String(index)}`)
    .digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}
