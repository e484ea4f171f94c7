import { expect, it } from "vitest";
import { shareRuns } from "./share-runs.ts";

function openRuns() {
  const runs: { resolve(value: number): void; reject(error: Error): void }[] = [];
  const shared = shareRuns(() => new Promise<number>((resolve, reject) => void runs.push({ resolve, reject })));
  return { runs, shared };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("never runs twice at once, and gives late callers one run that began after their call", async () => {
  const { runs, shared } = openRuns();
  const first = shared();
  const late = [shared(), shared(), shared()];
  await settle();
  expect(runs).toHaveLength(1);
  runs[0]?.resolve(1);
  await settle();
  expect(runs).toHaveLength(2);
  runs[1]?.resolve(2);
  expect(await Promise.all([first, ...late])).toEqual([1, 2, 2, 2]);
});

it("goes on after a run that failed", async () => {
  const { runs, shared } = openRuns();
  const first = shared();
  const second = shared();
  runs[0]?.reject(new Error("once"));
  await expect(first).rejects.toThrow("once");
  await settle();
  runs[1]?.resolve(2);
  expect(await second).toBe(2);
  const third = shared();
  runs[2]?.resolve(3);
  expect(await third).toBe(3);
});
