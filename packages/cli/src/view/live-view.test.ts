import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { FakeClock } from "@dormouse/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { someEvent, someReport } from "../../test/fake-admin-host.ts";
import type { ResourceReport } from "../admin/resource-report.ts";
import { type LiveModel, LiveView, renderLive } from "./live-view.ts";
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

/** A terminal in memory. */
class FakeScreen extends PassThrough {
  readonly isTTY = true;
  columns = 100;
  rows = 24;
  /** What was written since the last look, without colours and cursor movements. */
  written(): string {
    return stripVTControlCharacters(String(this.read() ?? ""));
  }
}

describe("a live view on a screen", () => {
  let screen: FakeScreen;
  let clock: FakeClock;
  let reads: number;
  let shown: readonly ResourceReport[];
  let view: LiveView;

  beforeEach(() => {
    screen = new FakeScreen();
    clock = new FakeClock();
    reads = 0;
    shown = resources;
    const read = (): LiveModel => {
      reads += 1;
      return { header, resources: shown };
    };
    view = new LiveView({ screen, color: false, clock, read });
  });

  it("is drawn at once, then at most four times a second, and only where something changed", async () => {
    expect(screen.written()).toContain("local/default/api");
    await clock.advance(10_000);
    expect(reads).toBe(41);
    shown = [someReport({ ref: "local/default/new" })];
    await clock.advance(250);
    expect(screen.written()).toContain("local/default/new");
    view[Symbol.dispose]();
  });

  it("has log lines above it, in order, with what did not fit counted", async () => {
    screen.written();
    for (let line = 0; line < 600; line += 1) view.write(`line ${line}\n`);
    await clock.advance(250);
    const text = screen.written();
    expect(text.indexOf("line 0\n")).toBeLessThan(text.indexOf("line 499\n"));
    expect(text.indexOf("line 499\n")).toBeLessThan(text.indexOf("… 100 more lines"));
    expect(text.indexOf("… 100 more lines")).toBeLessThan(text.lastIndexOf("RESOURCE"));
    view[Symbol.dispose]();
  });

  it("is drawn anew when the terminal changes its size", () => {
    screen.written();
    screen.columns = 40;
    screen.emit("resize");
    const text = screen.written();
    expect(text).toContain("RESOURCE");
    expect(text).not.toContain("LAST WAKE");
    view[Symbol.dispose]();
  });

  it("leaves no timer and no listener behind, and the last lines on the screen", () => {
    view.write("the last line");
    view[Symbol.dispose]();
    expect(screen.written()).toContain("the last line");
    expect([clock.pendingTimers, screen.listenerCount("resize")]).toEqual([0, 0]);
  });
});
