import { FakeClock } from "@dormouse/core/testing";
import { expect, it } from "vitest";
import { SharedCall, untilAborted } from "./shared-call.ts";

interface Work {
  readonly signal: AbortSignal;
  readonly isUrgent: boolean;
  readonly at: number;
  readonly end: (result: string) => void;
}

function open(): { readonly clock: FakeClock; readonly calls: Work[]; readonly shared: SharedCall<string> } {
  const clock = new FakeClock();
  const calls: Work[] = [];
  const shared = new SharedCall<string>(clock, async (signal, isUrgent) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    calls.push({ signal, isUrgent, at: clock.monotonic(), end: resolve });
    return untilAborted(promise, signal);
  });
  return { clock, calls, shared };
}

const now = { afterMs: 0, isUrgent: true };
const later = { afterMs: 1_000, isUrgent: false };

it("shares one call among all who ask before it begins", async () => {
  const { clock, calls, shared } = open();
  const answers = [shared.call(now), shared.call(later), shared.call(now)];
  await clock.advance(0);
  expect(calls).toHaveLength(1);
  calls[0]?.end("first");
  expect(await Promise.all(answers)).toEqual(["first", "first", "first"]);
});

it("gives who asks after the beginning a call of his own, that is no older than his question", async () => {
  const { clock, calls, shared } = open();
  const first = shared.call(now);
  await clock.advance(0);
  const second = shared.call(now);
  await clock.advance(0);
  calls[1]?.end("new");
  calls[0]?.end("old");
  expect([await first, await second]).toEqual(["old", "new"]);
});

it("waits for others as long as it may, and begins at once when somebody cannot wait", async () => {
  const { clock, calls, shared } = open();
  const paced = shared.call(later);
  await clock.advance(999);
  expect(calls).toHaveLength(0);
  await clock.advance(1);
  expect(calls.map(({ at, isUrgent }) => [at, isUrgent])).toEqual([[1_000, false]]);
  const again = shared.call(later);
  const atOnce = shared.call(now);
  await clock.advance(0);
  expect(calls.map(({ at, isUrgent }) => [at, isUrgent])[1]).toEqual([1_000, true]);
  for (const { end } of calls) end("done");
  expect(await Promise.all([paced, again, atOnce])).toEqual(["done", "done", "done"]);
  expect(clock.pendingTimers).toBe(0);
});

it("ends one caller by his own signal, and the call with its last caller", async () => {
  const { clock, calls, shared } = open();
  const [one, two] = [new AbortController(), new AbortController()];
  const first = shared.call({ ...now, signal: one.signal });
  const second = shared.call({ ...now, signal: two.signal });
  await clock.advance(0);
  one.abort(new Error("one left"));
  await expect(first).rejects.toThrow("one left");
  expect(calls[0]?.signal.aborted).toBe(false);
  two.abort(new Error("two left"));
  await expect(second).rejects.toThrow("two left");
  expect(calls[0]?.signal.aborted).toBe(true);
});

it("never begins what everybody has left before", async () => {
  const { clock, calls, shared } = open();
  const abort = new AbortController();
  const call = shared.call({ ...later, signal: abort.signal });
  abort.abort(new Error("left"));
  await expect(call).rejects.toThrow("left");
  await clock.advance(5_000);
  expect(calls).toHaveLength(0);
  expect(clock.pendingTimers).toBe(0);
});
