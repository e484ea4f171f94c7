import { FakeClock } from "@dormouse/core/testing";
import { expect, it } from "vitest";
import { Fights } from "./fights.ts";

it("a repair that is undone again and again is made ever less often, and at once again after a time of peace", async () => {
  const clock = new FakeClock();
  const fights = new Fights(clock);
  let repairs = 0;
  for (let passedMs = 0; passedMs < 3_600_000; passedMs += 1_000) {
    if (fights.dueInMs("key") <= 0) {
      fights.repaired("key");
      repairs += 1;
    }
    await clock.advance(1_000);
  }
  // An hour at one repair in up to five minutes, after some quicker ones.
  expect(repairs).toBeGreaterThan(12);
  expect(repairs).toBeLessThan(40);
  expect(fights.dueInMs("another")).toBeLessThanOrEqual(0);
  await clock.advance(600_001);
  expect(fights.dueInMs("key")).toBeLessThanOrEqual(0);
});
