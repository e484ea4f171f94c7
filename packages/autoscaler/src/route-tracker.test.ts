import { ScalerError } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { RouteTracker } from "./route-tracker.ts";

let clock: FakeClock;
let route: RouteTracker;

beforeEach(() => {
  clock = new FakeClock();
  route = new RouteTracker();
});

const accepted = async (): Promise<void> => {};
const at = (version: string) => route.at(version, clock.monotonic());
const divertedSince = (version: string) => route.divertedSince(version, clock.monotonic());
const see = (shown: "dlx" | "resource" | undefined): void => route.see(shown, clock.monotonic());
const change = (to: "dlx" | "resource", version: string, call = accepted) => route.change(to, version, clock, call);

describe("where the platform shows no routes", () => {
  it("a route is known through own writes, and keeps its age while it stays the same", async () => {
    await change("dlx", "v2");
    await clock.advance(10);
    route.wrote("v2", "v3");
    await change("dlx", "v3");
    expect([at("v3"), divertedSince("v3")]).toEqual(["dlx", 0]);
    await change("dlx", "v5");
    expect([at("v5"), divertedSince("v5")]).toEqual(["dlx", 10]);
    await change("resource", "v5");
    expect([at("v5"), divertedSince("v5")]).toEqual(["resource", undefined]);
  });

  it("that is known is forgotten when somebody else moves the version, while a change runs, and when one fails", async () => {
    await change("dlx", "v2");
    see(undefined);
    expect([at("v2"), at("v3")]).toEqual(["dlx", undefined]);
    let during: unknown = "unasked";
    await change("resource", "v2", async () => void (during = at("v2")));
    expect(during).toBeUndefined();
    await expect(change("resource", "v6", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await clock.advance(100_000);
    expect(at("v6")).toBeUndefined();
  });
});

describe("where the platform shows its routes", () => {
  it("what it shows counts at whatever version, from when it was seen first", async () => {
    await clock.advance(7);
    see("dlx");
    await clock.advance(100);
    see("dlx");
    expect([at("any"), divertedSince("any")]).toEqual(["dlx", 7]);
  });

  it("a moment elsewhere, or something between, begins a new age", async () => {
    see("dlx");
    await clock.advance(10);
    see("resource");
    see("dlx");
    expect(divertedSince("v1")).toBe(10);
    await clock.advance(10);
    see(undefined);
    expect([at("v1"), divertedSince("v1")]).toEqual([undefined, undefined]);
    see("dlx");
    expect(divertedSince("v1")).toBe(20);
  });

  it("something between is not where an own change once sent it", async () => {
    see("resource");
    await change("dlx", "v2");
    see("dlx");
    see(undefined);
    expect([at("v2"), divertedSince("v2")]).toEqual([undefined, undefined]);
  });

  it("counts on what is shown alone as soon as another resource of the scaler shows its route", async () => {
    const telling = { isTold: false };
    route = new RouteTracker(telling);
    new RouteTracker(telling).see("resource", 0);
    await change("dlx", "v2");
    expect(at("v2")).toBe("dlx");
    expect(divertedSince("v2")).toBeUndefined();
    await clock.advance(30_000);
    expect(at("v2")).toBeUndefined();
  });

  it("an own change counts from when it was accepted, though what is shown still lags; as evidence it counts once shown", async () => {
    see("resource");
    await clock.advance(10);
    await change("dlx", "v2");
    await clock.advance(1_000);
    see("resource");
    expect([at("v2"), divertedSince("v2")]).toEqual(["dlx", undefined]);
    see("dlx");
    expect([at("v9"), divertedSince("v9")]).toEqual(["dlx", 1_010]);
  });

  it("a change by somebody else after an own one counts as soon as it is shown", async () => {
    see("resource");
    await change("dlx", "v2");
    see("dlx");
    see("resource");
    expect(at("v2")).toBe("resource");
  });

  it("nothing is known while a change runs; nor after it was lost, until it is shown or can be shown no more", async () => {
    see("resource");
    let during: unknown = "unasked";
    const lost = change("dlx", "v2", async () => {
      during = at("v2");
      throw new ScalerError("SCALER_TIMEOUT", "no answer");
    });
    await expect(lost).rejects.toThrow("no answer");
    expect(during).toBeUndefined();
    expect(at("v2")).toBeUndefined();
    await clock.advance(29_000);
    see("resource");
    expect(at("v2")).toBeUndefined();
    await clock.advance(1_000);
    expect(at("v2")).toBe("resource");
    see("dlx");
    expect(at("v2")).toBe("dlx");
  });

  it("a change that was refused for a newer one leaves what is shown", async () => {
    see("dlx");
    const refused = change("resource", "v2", () => Promise.reject(new ScalerError("SCALER_CONFLICT", "older")));
    await expect(refused).rejects.toThrow("older");
    expect(at("v3")).toBe("dlx");
  });

  it("an own change that is never shown counts at its version for half a minute, and then what is shown", async () => {
    see("resource");
    await change("dlx", "v2");
    expect([at("v2"), at("v3")]).toEqual(["dlx", undefined]);
    await clock.advance(30_000);
    see("resource");
    expect(at("v2")).toBe("resource");
  });

  it("an own change to where it goes already keeps its age", async () => {
    see("dlx");
    await clock.advance(50);
    await change("dlx", "v2");
    expect([at("v2"), divertedSince("v2")]).toEqual(["dlx", 0]);
    see("resource");
    expect(at("v2")).toBe("resource");
  });
});
