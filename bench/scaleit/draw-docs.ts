import { drawRun } from "../../examples/scaleit/draw-run.ts";
import type { SeedRuns } from "./measure-scaleit.ts";

/** The plot of `docs/scaleit.md`: the first run. @param all at least one */
export async function drawDocs([first]: readonly SeedRuns[]): Promise<string> {
  if (first === undefined) throw new TypeError("there is no run to draw");
  const { seed, shape, samples } = first.dormouse;
  return drawRun(`Held by dormouse autoscaler: ${shape} of seed ${String(seed)}`, samples, {
    value: 0.8,
    tolerance: 0.1,
  });
}
