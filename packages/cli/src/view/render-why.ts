import type { ScaleEvent } from "@dormouse/core";
import type { NextChange, WhyReport } from "../admin/why-report.ts";
import { describePhases } from "./describe-event.ts";
import { formatAgo, formatSpan } from "./format-span.ts";
import { type Paint, stateStyles } from "./paint.ts";

export interface RenderWhyOptions {
  /** Epoch ms. */
  readonly now: number;
  readonly paint: Paint;
}

/** Why a resource is in its state and what comes next, in plain English. */
export function renderWhy(report: WhyReport, options: RenderWhyOptions): string {
  const lines = linesOf(report, options.now).filter((line) => line.text !== "");
  const width = Math.max(...lines.map(({ name }) => name.length)) + 2;
  const body = lines.map(({ name, text }) => `  ${name.padEnd(width)}${text}`);
  return [headline(report, options), "", ...body].join("\n");
}

function headline({ ref, state, since, cause }: WhyReport, { now, paint }: RenderWhyOptions): string {
  const painted = paint(stateStyles[state], state);
  const why = cause === undefined ? "" : ` (${cause.by}: ${cause.reason})`;
  return `${paint("bold", ref)} is ${painted}, for ${formatSpan(now - since)}${why}`;
}

interface Line {
  readonly name: string;
  readonly text: string;
}

function linesOf(report: WhyReport, now: number): Line[] {
  const { failure, refusal, because } = report;
  return [
    { name: "next", text: describeNext(report.next) },
    ...because.map((text, index) => ({ name: index === 0 ? "because" : "", text })),
    { name: "replicas", text: describeReplicas(report) },
    { name: "target", text: describeTarget(report) },
    { name: "traffic", text: describeTraffic(report, now) },
    { name: "routes", text: report.routes.join(", ") || "none: nothing leads here but dormouse wake" },
    { name: "failure", text: failure === undefined ? "" : `${failure.code}: ${failure.message}` },
    { name: "left alone", text: refusal === undefined ? "" : `${refusal.code}: ${refusal.message}` },
    { name: "last wake", text: describeLast(report.lastWake, now) },
    { name: "last sleep", text: describeLast(report.lastSleep, now) },
    ...report.warnings.map((text) => ({ name: "warning", text })),
  ];
}

/** What happens next, as one sentence. */
export function describeNext(next: NextChange): string {
  switch (next.kind) {
    case "sleep":
      return next.inMs <= 0
        ? "sleeps with the next tick if nobody comes"
        : `sleeps in ${formatSpan(next.inMs)} if nobody comes`;
    case "stay":
      return `stays as it is: ${next.until}`;
    case "wake-on-request":
      return describeWakeOnRequest(next);
    case "running":
      return `${next.operation === "wake" ? "is being woken" : "is being put to sleep"}${next.typicalMs === undefined ? "" : `; that usually takes up to ${formatSpan(next.typicalMs)}`}`;
  }
}

function describeWakeOnRequest({
  notBeforeMs,
  typicalWakeMs,
}: Extract<NextChange, { kind: "wake-on-request" }>): string {
  const typical = typicalWakeMs === undefined ? "" : `; that usually takes up to ${formatSpan(typicalWakeMs)}`;
  if (notBeforeMs <= 0) return `the next request wakes it${typical}`;
  return `the last wake failed; requests are refused for ${formatSpan(notBeforeMs)}, then the next one tries again`;
}

function describeReplicas({ replicas: { desired, ready, onWake } }: WhyReport): string {
  return desired === 0 && ready === 0 ? `none; a wake starts ${onWake}` : `${desired} wanted, ${ready} ready`;
}

/** What a target does with the count; nothing where it has none, or is not awake. */
function describeTarget({ state, decision }: WhyReport): string {
  const target = decision?.target;
  if (target === undefined || state === "asleep") return "";
  return target.decision === "scale" ? target.words : `${target.words} To change that, ${target.next}.`;
}

function describeTraffic({ traffic }: WhyReport, now: number): string {
  const { held, inFlight, requests, lastActivityAt, targets } = traffic;
  const last =
    lastActivityAt === undefined ? "never used since the host started" : `last used ${formatAgo(lastActivityAt, now)}`;
  return `${held} held, ${inFlight} in flight, ${requests} so far, ${last}, ${targets} ${targets === 1 ? "target" : "targets"} known`;
}

function describeLast(event: ScaleEvent | undefined, now: number): string {
  if (event === undefined) return "";
  const took = event.tookMs === undefined ? "" : ` in ${formatSpan(event.tookMs)}${describePhases(event.phases)}`;
  const what =
    event.outcome === "done"
      ? `done${took}`
      : `${event.outcome}${event.code === undefined ? "" : ` with ${event.code}`}${took}`;
  return `${what}, ${formatAgo(event.at, now)}, by ${event.by}: ${event.reason}`;
}
