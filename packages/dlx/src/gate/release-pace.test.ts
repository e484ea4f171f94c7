import { FakeClock } from "@dormouse/core/testing";
import { expect, it, vi } from "vitest";
import { ReleasePace } from "./release-pace.ts";
import { WakeTimes } from "./wake-times.ts";

it("allows no more than the limit until one has answered", () => {
  const pace = new ReleasePace(new FakeClock(), () => {});
  const first = {};
  pace.released(first);
  expect(pace.allows(1)).toBe(false);
  expect(pace.answered(first)).toBe(true);
  expect(pace.allows(1)).toBe(true);
  expect(pace.answered(first)).toBe(false);
  pace.rest();
});

it("does not let long polls hold up the others for ever", async () => {
  const clock = new FakeClock();
  const room = vi.fn();
  const pace = new ReleasePace(clock, room);
  pace.released({});
  expect(pace.allows(1)).toBe(false);
  await clock.advance(5_000);
  expect(room).toHaveBeenCalledOnce();
  expect(pace.allows(1)).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});

it("measures the 95th percentile of the last 50 wakes", () => {
  const times = new WakeTimes();
  expect(times.p95).toBeUndefined();
  for (let wake = 1; wake <= 150; wake += 1) times.add(wake);
  expect(times.p95).toBe(148);
});
