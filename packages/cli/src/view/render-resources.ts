import type { ScaleEvent } from "@dormouse/core";
import type { HostRole } from "../host/host-role.ts";
import type { ResourceReport } from "../admin/resource-report.ts";
import { formatAgo, formatSpan } from "./format-span.ts";
import { type Paint, stateStyles } from "./paint.ts";
import { type Column, renderTable } from "./render-table.ts";

const commonColumns: readonly Column[] = [
  { title: "RESOURCE", dispensable: 0 },
  { title: "STATE", dispensable: 0 },
  { title: "REPLICAS", align: "right", dispensable: 3 },
  { title: "HELD", align: "right", dispensable: 1 },
  { title: "IN FLIGHT", align: "right", dispensable: 2 },
  { title: "LAST USED", dispensable: 4 },
];

/** A DLX wakes and an autoscaler puts to sleep: each has seen the last one of its own. */
const lastColumns: Readonly<Record<HostRole, Column>> = {
  up: { title: "LAST WAKE", dispensable: 5 },
  dlx: { title: "LAST WAKE", dispensable: 5 },
  autoscaler: { title: "LAST SLEEP", dispensable: 5 },
};

export interface RenderOptions {
  /** Epoch ms. */
  readonly now: number;
  /** Characters in a line. */
  readonly width: number;
  readonly paint: Paint;
  /** Which parts the host runs; left out: all. */
  readonly role?: HostRole;
}

/** The resources as a table: state, replicas, held, in flight, last use, last wake; of an autoscaler the last sleep. */
export function renderResources(
  resources: readonly ResourceReport[],
  { now, width, paint, role = "up" }: RenderOptions,
): string {
  const rows = resources.map((resource) => [
    resource.ref,
    describeState(resource, paint),
    `${resource.ready}/${resource.desired}`,
    String(resource.held),
    String(resource.inFlight),
    describeUse(resource, now),
    role === "autoscaler" ? describeSleep(resource.lastScaleEvent, now) : describeWake(resource.lastWake, now),
  ]);
  return renderTable([...commonColumns, lastColumns[role]], rows, width);
}

function describeState({ state, refusal }: ResourceReport, paint: Paint): string {
  const painted = paint(stateStyles[state], state);
  return refusal === undefined ? painted : `${painted}, ${paint("red", "left alone")}`;
}

function describeUse({ held, inFlight, lastActivityAt }: ResourceReport, now: number): string {
  if (held + inFlight > 0) return "now";
  return lastActivityAt === undefined ? "-" : formatAgo(lastActivityAt, now);
}

function describeWake(wake: ScaleEvent | undefined, now: number): string {
  if (wake === undefined) return "-";
  const took = wake.tookMs === undefined ? "" : ` in ${formatSpan(wake.tookMs)}`;
  const what = wake.outcome === "done" ? `woke${took}` : (wake.code ?? wake.outcome);
  return `${what}, ${formatAgo(wake.at, now)}`;
}

function describeSleep(event: ScaleEvent | undefined, now: number): string {
  if (event === undefined || event.kind !== "sleep") return "-";
  const what =
    event.outcome === "done" ? "slept" : `${event.outcome}${event.code === undefined ? "" : `: ${event.code}`}`;
  return `${what}, ${formatAgo(event.at, now)}`;
}
