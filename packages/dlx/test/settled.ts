import { expect, vi } from "vitest";

/** Resolves with a count once it has stopped rising. */
export async function settled(count: () => number): Promise<number> {
  let before = -1;
  await vi.waitFor(
    () => {
      const now = count();
      const isStill = now > 0 && now === before;
      before = now;
      expect(isStill).toBe(true);
    },
    { timeout: 20_000, interval: 300 },
  );
  return before;
}
