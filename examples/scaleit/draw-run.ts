import { type GroupMark, type Mark, parse, type Spec, View } from "vega";
import type { ScaleItSample } from "./scaleit-model.ts";

/** What was to be held. */
export interface HeldTarget {
  readonly value: number;
  /** Absolute. */
  readonly tolerance: number;
}

/** One point of the plot. */
interface Point {
  readonly minute: number;
  readonly load: number;
  readonly needed: number;
  readonly replicas: number;
  readonly cpu: number;
}

const width = 820;
const height = 130;
const colors = { load: "#4c78a8", needed: "#9d9d9d", replicas: "#e45756", cpu: "#54a24b", band: "#54a24b" } as const;
/** More would be nothing to see, and a large file. */
const mostPoints = 400;

/** Draws a run as SVG: its load, its replicas beside those that the load needs, its CPU beside what was to be held. */
export async function drawRun(title: string, samples: readonly ScaleItSample[], target: HeldTarget): Promise<string> {
  const every = Math.max(1, Math.ceil(samples.length / mostPoints));
  const points = samples.filter((_, index) => index % every === 0).map((sample) => toPoint(sample, target));
  return new View(parse(specOf(title, points, target)), { renderer: "none" }).toSVG();
}

function toPoint({ atMs, load, replicas, cpu }: ScaleItSample, target: HeldTarget): Point {
  return { minute: atMs / 60_000, load, needed: load / target.value, replicas, cpu };
}

function specOf(title: string, points: readonly Point[], { value, tolerance }: HeldTarget): Spec {
  const target = String(value);
  return {
    background: "white",
    padding: 8,
    title: { text: title, anchor: "start", fontSize: 14, offset: 8 },
    data: [{ name: "points", values: [...points] }],
    layout: { columns: 1, padding: 12, bounds: "full", align: "all" },
    scales: [{ name: "minute", type: "linear", domain: { data: "points", field: "minute" }, range: [0, width] }],
    marks: [
      panel("Load, in replicas that it would keep wholly busy", ["load"], [line("load")]),
      panel(
        `Replicas (red), and those at which the CPU would be ${target} (grey)`,
        ["replicas", "needed"],
        [line("needed"), line("replicas", "step-after")],
      ),
      panel(
        `CPU as reported, and the target ${target} with its tolerance`,
        [0, 1],
        [band(value - tolerance, value + tolerance), level(value), line("cpu")],
        true,
      ),
    ],
  };
}

/** @param domain fields whose values are to fit, or the two ends */
function panel(
  title: string,
  domain: readonly (keyof Point)[] | readonly [number, number],
  marks: readonly Mark[],
  isLast = false,
): GroupMark {
  const [least, most] = domain;
  const isFixed = typeof least === "number" && typeof most === "number";
  const fields = domain.filter((field) => typeof field === "string");
  return {
    type: "group",
    title: { text: title, anchor: "start", frame: "group", fontWeight: "normal", fontSize: 11, offset: 4 },
    encode: { enter: { width: { value: width }, height: { value: height } } },
    scales: [
      {
        name: "y",
        type: "linear",
        range: [height, 0],
        domain: isFixed ? [least, most] : { data: "points", fields },
        zero: true,
        nice: true,
      },
    ],
    axes: [
      { scale: "y", orient: "left", grid: true, tickCount: 5, gridOpacity: 0.4 },
      { scale: "minute", orient: "bottom", tickCount: 15, ...(isLast && { title: "simulated minutes" }) },
    ],
    marks: [...marks],
  };
}

function line(field: keyof typeof colors & keyof Point, interpolate: "linear" | "step-after" = "linear"): Mark {
  return {
    type: "line",
    from: { data: "points" },
    encode: {
      enter: {
        x: { scale: "minute", field: "minute" },
        y: { scale: "y", field },
        stroke: { value: colors[field] },
        strokeWidth: { value: 1.5 },
        interpolate: { value: interpolate },
      },
    },
  };
}

function band(least: number, most: number): Mark {
  const y = { y: { scale: "y", value: most }, y2: { scale: "y", value: least } };
  return {
    type: "rect",
    encode: {
      enter: {
        x: { value: 0 },
        x2: { value: width },
        ...y,
        fill: { value: colors.band },
        fillOpacity: { value: 0.12 },
      },
    },
  };
}

function level(value: number): Mark {
  return {
    type: "rule",
    encode: {
      enter: {
        x: { value: 0 },
        x2: { value: width },
        y: { scale: "y", value },
        stroke: { value: "#333333" },
        strokeDash: { value: [4, 3] },
      },
    },
  };
}
