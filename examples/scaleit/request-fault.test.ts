import { describe, expect, it } from "vitest";
import { noFaults, requestFault } from "./request-fault.ts";

const everySecond = Array.from({ length: 10_000 }, (_, second) => second * 1_000);

describe("faults", () => {
  it("come as often as their rates say, each kind of them", () => {
    const rates = { error: 0.1, timeout: 0.05, broken: 0.02 };
    const met = everySecond.map((atMs) => requestFault(1, "GET", atMs, rates));
    const share = (fault: string): number => met.filter((each) => each === fault).length / met.length;
    expect(share("error")).toBeCloseTo(0.1, 1);
    expect(share("timeout")).toBeCloseTo(0.05, 1);
    expect(share("broken")).toBeCloseTo(0.02, 1);
    expect(share("broken")).toBeGreaterThan(0.01);
  });

  it("come at the same moments with the same seed, and at others with another or for another method", () => {
    const rates = { error: 0.2, timeout: 0, broken: 0 };
    const of = (seed: number, method: string) => everySecond.map((atMs) => requestFault(seed, method, atMs, rates));
    expect(of(1, "GET")).toEqual(of(1, "GET"));
    expect(of(1, "GET")).not.toEqual(of(2, "GET"));
    expect(of(1, "GET")).not.toEqual(of(1, "PUT"));
  });

  it("last for a second, so that asking again at once does not help", () => {
    const rates = { error: 0.5, timeout: 0, broken: 0 };
    expect(requestFault(1, "GET", 5_000, rates)).toBe(requestFault(1, "GET", 5_999, rates));
  });

  it("never come where there are none", () => {
    expect(everySecond.filter((atMs) => requestFault(1, "GET", atMs, noFaults) !== undefined)).toEqual([]);
  });
});
