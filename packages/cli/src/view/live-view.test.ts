import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { someEvent, someReport } from "../../test/fake-admin-host.ts";
import { renderLive } from "./live-view.ts";
import { createPaint } from "./paint.ts";

const now = 1_700_000_060_000;
const lastWake = someEvent({ at: now - 60_000, tookMs: 412 });
const resources = [
  someReport({ ref: "local/default/api", state: "awake", inFlight: 2, requests: 12, lastWake }),
  someReport({ ref: "local/default/db", state: "asleep", desired: 0, ready: 0, lastActivityAt: now - 3_600_000 }),
  someReport({ ref: "local/default/slow", state: "waking", ready: 0, held: 7 }),
  someReport({
    ref: "local/default/sick",
    state: "failed",
    ready: 0,
    lastWake: someEvent({ at: now - 5_000, outcome: "failed", code: "SCALER_START_FAILED" }),
  }),
];
const header = "dormouse  requests 127.0.0.1:8080  admin 127.0.0.1:8081";

function render(over: { width?: number; height?: number; warning?: string; color?: boolean } = {}): string {
  const { width = 120, height = 24, color = false, ...rest } = over;
  return renderLive({ header, resources, ...rest }, { now, width, height, paint: createPaint(color) });
}

describe("a live view", () => {
  it("shows state, replicas, held, in flight and the last wake of each resource", () => {
    expect(render()).toMatchInlineSnapshot(`
      "
      dormouse  requests 127.0.0.1:8080  admin 127.0.0.1:8081
      RESOURCE            STATE   REPLICAS  HELD  IN FLIGHT  LAST USED  LAST WAKE
      local/default/api   awake        1/1     0          2  now        woke in 412 ms, 1 min ago
      local/default/db    asleep       0/0     0          0  1 h ago    -
      local/default/slow  waking       0/1     7          0  now        -
      local/default/sick  failed       0/1     0          0  -          SCALER_START_FAILED, 5 s ago
      1 awake, 1 waking, 1 asleep, 1 failed"
    `);
  });

  it("names what an operator should know below its header", () => {
    expect(render({ warning: "d.yaml:3:1: dlx.lisen: is no known key" }).split("\n")[2]).toBe(
      "d.yaml:3:1: dlx.lisen: is no known key",
    );
  });

  it("is never wider or higher than the screen", () => {
    for (const width of [20, 30, 40, 60, 80]) {
      for (const height of [5, 8, 12, 24]) {
        const lines = render({ width, height, warning: "x".repeat(200) }).split("\n");
        expect(lines.length).toBeLessThanOrEqual(Math.max(height, 6));
        for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(width);
      }
    }
  });

  it("shows what is in use first where not all fit, and says how many are left out", () => {
    const text = render({ height: 7 });
    expect(text).toMatch(/api/);
    expect(text).toMatch(/slow/);
    expect(text).not.toMatch(/db/);
    expect(text).toMatch(/2 not shown$/);
  });

  it("has colours only where they are wanted, and says the same without them", () => {
    expect(render()).not.toContain("\u001b[");
    expect(render({ color: true })).toContain("\u001b[");
    expect(stripVTControlCharacters(render({ color: true }))).toBe(render());
  });

  it("says so where there is nothing yet", () => {
    expect(renderLive({ header, resources: [] }, { now, width: 80, height: 24, paint: createPaint(false) })).toContain(
      "no resources yet",
    );
  });
});
