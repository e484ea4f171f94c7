import { randomAt } from "./random-at.ts";

/** How the load of the simulated application goes up and down. */
export const loadShapes = ["waves", "steps", "spikes", "ramps", "walk"] as const;

/** One of the shapes. */
export type LoadShape = (typeof loadShapes)[number];

/** The load at a simulated moment (ms since the start), as the number of replicas that it would keep wholly busy. */
export type LoadCurve = (atMs: number) => number;

const minuteMs = 60_000;
/** How long a jump takes: the clients of real services do not all come in one millisecond. */
const edgeMs = 10_000;

/** The curve of a seed: always the same. Loads are between 3 and 16. */
export function loadCurve(shape: LoadShape, seed: number): LoadCurve {
  return curves[shape](seed);
}

/** The shape that a seed has where none is asked for; five seeds in a row have them all. */
export function shapeOf(seed: number): LoadShape {
  const index = ((Math.trunc(seed) % loadShapes.length) + loadShapes.length) % loadShapes.length;
  return loadShapes[index] ?? "waves";
}

const curves: Readonly<Record<LoadShape, (seed: number) => LoadCurve>> = { waves, steps, spikes, ramps, walk };

/** A long wave with a short one on it, as of a day and its breaks. */
function waves(seed: number): LoadCurve {
  const slow = randomAt(seed, "slow phase", 0);
  const quick = randomAt(seed, "quick phase", 0);
  return (atMs) => 8 + 3 * sine(atMs / (12 * minuteMs) + slow) + sine(atMs / (3.5 * minuteMs) + quick);
}

function sine(turns: number): number {
  return Math.sin(2 * Math.PI * turns);
}

/** Another level every three minutes. */
function steps(seed: number): LoadCurve {
  const level = (index: number): number => 4 + 8 * randomAt(seed, "level", index);
  const lengthMs = 3 * minuteMs;
  return (atMs) => {
    const index = Math.floor(atMs / lengthMs);
    const share = Math.min(1, (atMs - index * lengthMs) / edgeMs);
    return level(index - 1) + (level(index) - level(index - 1)) * share;
  };
}

/** A quiet level with one burst somewhere in every four minutes. */
function spikes(seed: number): LoadCurve {
  const lengthMs = 4 * minuteMs;
  return (atMs) => {
    const index = Math.floor(atMs / lengthMs);
    const height = 4 + 5 * randomAt(seed, "height", index);
    const lastsMs = minuteMs * (0.75 + randomAt(seed, "length", index));
    const beginsMs = index * lengthMs + (lengthMs - lastsMs) * randomAt(seed, "begin", index);
    const fromEdgeMs = Math.min(atMs - beginsMs, beginsMs + lastsMs - atMs);
    return 6 + height * Math.min(1, Math.max(0, fromEdgeMs / edgeMs));
  };
}

/** Steadily up and steadily down again. */
function ramps(seed: number): LoadCurve {
  const lengthMs = minuteMs * (12 + 6 * randomAt(seed, "length", 0));
  const phase = randomAt(seed, "phase", 0);
  return (atMs) => {
    const turn = (atMs / lengthMs + phase) % 1;
    return 4 + 8 * (1 - Math.abs(2 * turn - 1));
  };
}

/** Smoothly from one random level to the next, a minute apart. */
function walk(seed: number): LoadCurve {
  const level = (index: number): number => 4 + 8 * randomAt(seed, "level", index);
  return (atMs) => {
    const index = Math.floor(atMs / minuteMs);
    const share = (1 - Math.cos(Math.PI * (atMs / minuteMs - index))) / 2;
    return level(index) + (level(index + 1) - level(index)) * share;
  };
}
