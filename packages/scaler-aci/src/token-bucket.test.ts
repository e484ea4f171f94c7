import { FakeClock } from "@dormouse/core/testing";
import { expect, it } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

function open(burst = 10, perSecond = 2): { readonly clock: FakeClock; readonly bucket: TokenBucket } {
  const clock = new FakeClock();
  return { clock, bucket: new TokenBucket({ clock, burst, perSecond }) };
}

const urgent = { isUrgent: true };
const patient = { isUrgent: false };

/** Monotonic times at which tokens are had. */
async function timesOf(clock: FakeClock, takes: readonly Promise<void>[]): Promise<number[]> {
  const times: number[] = [];
  for (const take of takes) void take.then(() => times.push(clock.monotonic()));
  await clock.advance(60_000);
  return times;
}

it("gives a full bucket at once, and then one by one at the rate", async () => {
  const { clock, bucket } = open();
  const times = await timesOf(
    clock,
    Array.from({ length: 14 }, async () => bucket.take(urgent)),
  );
  expect(times).toEqual([...Array.from({ length: 10 }, () => 0), 500, 1_000, 1_500, 2_000]);
});

it("tells an urgent one at once that it would wait too long, and when to come again", async () => {
  const { bucket } = open(1, 0.1);
  await bucket.take(urgent);
  await expect(bucket.take(urgent)).rejects.toMatchObject({ code: "SCALER_RATE_LIMITED", retryAfterMs: 10_000 });
});

it("leaves a fifth to urgent ones", async () => {
  const { clock, bucket } = open();
  const times = await timesOf(clock, [
    ...Array.from({ length: 9 }, async () => bucket.take(patient)),
    bucket.take(urgent),
    bucket.take(urgent),
  ]);
  expect(times.filter((at) => at === 0)).toHaveLength(10);
  expect(Math.max(...times)).toBeGreaterThanOrEqual(1_000);
});

it("never gives more than the burst and the rate allow, whoever asks", async () => {
  const { clock, bucket } = open(5, 4);
  const takes = Array.from({ length: 40 }, async (_, index) => bucket.take(index % 3 === 0 ? urgent : patient));
  const times = await timesOf(
    clock,
    takes.map(async (take) => take.catch(() => {})),
  );
  for (const at of times) {
    const until = times.filter((each) => each <= at).length;
    expect(until).toBeLessThanOrEqual(5 + (at / 1_000) * 4 + 14);
  }
});

it("gives nothing during a pause", async () => {
  const { clock, bucket } = open();
  bucket.pause(3_000);
  expect(await timesOf(clock, [bucket.take(urgent), bucket.take(patient)])).toEqual([3_000, 3_000]);
});

it("believes the platform about what is left", async () => {
  const { clock, bucket } = open();
  bucket.limitTo(1);
  bucket.limitTo(8);
  expect(await timesOf(clock, [bucket.take(urgent), bucket.take(urgent)])).toEqual([0, 500]);
});

it("ends a wait with its signal and leaves no timer", async () => {
  const { clock, bucket } = open(1, 1);
  await bucket.take(urgent);
  const abort = new AbortController();
  const waits = [
    bucket.take({ isUrgent: true, signal: abort.signal }),
    bucket.take({ isUrgent: false, signal: abort.signal }),
  ];
  abort.abort(new Error("enough"));
  for (const wait of waits) await expect(wait).rejects.toThrow("enough");
  expect(clock.pendingTimers).toBe(0);
});
