import type { CatalogEntry } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { ResourceTracker } from "./resource-tracker.ts";

function entry(different: Partial<CatalogEntry["resource"]> = {}): Pick<CatalogEntry, "resource"> {
  return { resource: { desired: 1, ready: 1, version: "v1", updatedAt: 1, ...different } as CatalogEntry["resource"] };
}

describe("ResourceTracker", () => {
  it("counts how long a resource has been awake from its wake and from each update", () => {
    const tracker = new ResourceTracker(entry({ desired: 0, ready: 0 }), 0);
    expect(tracker.awakeForMs(10)).toBe(0);
    tracker.see(entry({ version: "v2", updatedAt: 2 }), 20);
    expect(tracker.awakeForMs(50)).toBe(30);
    tracker.see(entry({ version: "v3", updatedAt: 3 }), 60);
    expect(tracker.awakeForMs(100)).toBe(40);
    tracker.see(entry({ version: "v4", updatedAt: 3 }), 90);
    expect(tracker.awakeForMs(100)).toBe(40);
  });

  it("takes no mark of its own for an update, in whichever order it hears of it", () => {
    const tracker = new ResourceTracker(entry(), 0);
    tracker.wrote("v1", "v2");
    tracker.see(entry({ version: "v2", updatedAt: 2 }), 50);
    expect(tracker.awakeForMs(100)).toBe(100);
    tracker.see(entry({ version: "v3", updatedAt: 3 }), 60);
    tracker.wrote("v2", "v3");
    expect(tracker.awakeForMs(100)).toBe(100);
  });

  it("counts how long a resource has been wanted and not ready", () => {
    const tracker = new ResourceTracker(entry({ ready: 0 }), 0);
    expect(tracker.unreadyForMs(30)).toBe(30);
    tracker.see(entry(), 40);
    expect(tracker.unreadyForMs(50)).toBe(0);
    tracker.see(entry({ ready: 0 }), 60);
    expect(tracker.unreadyForMs(70)).toBe(10);
  });

  it("knows how long a version has stood", () => {
    const tracker = new ResourceTracker(entry(), 0);
    tracker.see(entry(), 50);
    expect(tracker.unchangedForMs("v1", 60)).toBe(60);
    expect(tracker.unchangedForMs("v2", 60)).toBe(0);
    tracker.see(entry({ version: "v2" }), 70);
    expect(tracker.unchangedForMs("v2", 80)).toBe(10);
  });

  it("waits longer after each failed attempt, up to a minute, and not after a done one or a long time", () => {
    const tracker = new ResourceTracker(entry(), 0);
    tracker.attempted(false, 0);
    expect(tracker.retryInMs(0)).toBeLessThanOrEqual(1_000);
    for (let attempt = 0; attempt < 20; attempt += 1) tracker.attempted(false, 0);
    expect(tracker.retryInMs(0)).toBeGreaterThanOrEqual(30_000);
    expect(tracker.retryInMs(0)).toBeLessThanOrEqual(60_000);
    tracker.attempted(false, 1_000_000);
    expect(tracker.retryInMs(1_000_000)).toBeLessThanOrEqual(1_000);
    expect(tracker.retryInMs(1_001_000)).toBeUndefined();
    tracker.attempted(true, 1_000_000);
    expect(tracker.retryInMs(1_000_000)).toBeUndefined();
  });
});
