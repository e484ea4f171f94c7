import { expect, it } from "vitest";
import { someEvent, someReport } from "../../test/fake-admin-host.ts";
import { createPaint } from "./paint.ts";
import { renderResources } from "./render-resources.ts";

const now = 1_700_000_060_000;
const slept = someEvent({ kind: "sleep", at: now - 60_000 });
const kept = someEvent({ kind: "sleep", at: now - 5_000, outcome: "kept", code: "in-flight" });
const resources = [
  someReport({ lastWake: someEvent({ at: now - 90_000, tookMs: 412 }), lastScaleEvent: slept, state: "asleep" }),
  someReport({ ref: "local/default/db", lastScaleEvent: kept, inFlight: 2 }),
];

function render(role: "up" | "dlx" | "autoscaler"): readonly string[] {
  const lines = renderResources(resources, { now, width: 120, paint: createPaint(false), role }).split("\n");
  return lines.map((line) => line.split(/ {2,}/).at(-1) ?? "");
}

it("shows the last wake where a DLX wakes, the last sleep where an autoscaler puts to sleep", () => {
  expect(render("up")).toEqual(["LAST WAKE", "woke in 412 ms, 1.5 min ago", "-"]);
  expect(render("dlx")).toEqual(render("up"));
  expect(render("autoscaler")).toEqual(["LAST SLEEP", "slept, 1 min ago", "kept: in-flight, 5 s ago"]);
});
