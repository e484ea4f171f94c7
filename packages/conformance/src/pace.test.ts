import { describe, expect, it } from "vitest";
import { Pace } from "./pace.ts";

describe("Pace", () => {
  it("watches for twice the longest start or stop that was seen", () => {
    const pace = new Pace();
    pace.sawStart(300);
    pace.sawStart(200);
    pace.sawStop(50);
    expect(pace.startWindowMs).toBe(600);
    expect(pace.stopWindowMs).toBe(100);
  });

  it("watches for a while where nothing was seen yet", () => {
    expect(new Pace().stopWindowMs).toBeGreaterThanOrEqual(1_000);
  });
});
