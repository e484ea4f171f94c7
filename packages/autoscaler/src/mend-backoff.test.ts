import { beforeEach, describe, expect, it } from "vitest";
import { MendBackoff } from "./mend-backoff.ts";

let backoff: MendBackoff;
let now: number;

beforeEach(() => {
  backoff = new MendBackoff();
  now = 0;
});

/** Mends as soon as it may and says how long that took. */
function mendNext(to: "dlx" | "resource" = "dlx"): { readonly waitedMs: number; readonly isTold: boolean } {
  const from = now;
  while (!backoff.mayMend(now)) now += 100;
  return { waitedMs: now - from, isTold: backoff.mended(to, now) };
}

describe("MendBackoff", () => {
  it("lets a first mend and the one after it pass at once", () => {
    expect([mendNext().waitedMs, mendNext().waitedMs]).toEqual([0, 0]);
  });

  it("waits longer each time that somebody undoes it, up to a minute, and says so once", () => {
    const mends = Array.from({ length: 14 }, () => mendNext());
    expect(mends.filter(({ isTold }) => isTold)).toHaveLength(1);
    const waits = mends.map(({ waitedMs }) => waitedMs);
    expect(waits[2]).toBeGreaterThanOrEqual(500);
    expect(waits[2]).toBeLessThanOrEqual(1_000);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(30_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
  });

  it("begins anew after a long time, for another direction, and once the resource was woken or stopped", () => {
    for (let times = 0; times < 6; times += 1) mendNext();
    now += 130_000;
    mendNext();
    expect(mendNext().waitedMs).toBe(0);
    for (let times = 0; times < 4; times += 1) mendNext();
    backoff.forget();
    expect([mendNext().waitedMs, mendNext().waitedMs]).toEqual([0, 0]);
    mendNext();
    expect(mendNext("resource").waitedMs).toBeGreaterThan(0);
    expect(mendNext("resource").waitedMs).toBe(0);
  });

  it("waits after a failure, also of a resource that was woken meanwhile, until a look finds it right", () => {
    backoff.failed(now);
    backoff.forget();
    expect(backoff.mayMend(now)).toBe(false);
    expect(backoff.mayMend(now + 1_000)).toBe(true);
    backoff.failed(now);
    backoff.wasRight();
    expect(backoff.mayMend(now)).toBe(true);
  });
});
