import { FakeClock } from "@dormouse/core/testing";
import { expect, it } from "vitest";
import { endProcesses } from "./end-processes.ts";

// No process has this pid: it is above the most that Linux and macOS give.
const entry = { pid: 2 ** 30, group: 2 ** 30, started: "1", mark: undefined };

it("asks once, waits for the grace, and after the kill gives up on what still is seen", async () => {
  const clock = new FakeClock();
  const asked: number[] = [];
  const ending = endProcesses({
    find: async () => [entry],
    signalFor: ({ pid }) => {
      asked.push(pid);
      return "SIGTERM";
    },
    graceMs: 1_000,
    clock,
  });
  let remaining: readonly object[] | undefined;
  void ending.then((left) => (remaining = left));
  await clock.advance(5_900);
  expect(remaining).toBeUndefined();
  await clock.advance(200);
  expect(remaining).toEqual([entry]);
  expect(asked).toEqual([entry.pid]);
  expect(clock.pendingTimers).toBe(0);
});

it("is done at once where nothing is left", async () => {
  const order = { find: async () => [], signalFor: () => undefined, graceMs: 1_000, clock: new FakeClock() };
  expect(await endProcesses(order)).toEqual([]);
});
