import { loadCurve, type LoadShape, shapeOf } from "../../examples/scaleit/load-curve.ts";
import { ScaleItModel, type ScaleItSample } from "../../examples/scaleit/scaleit-model.ts";

/** One run over the simulated application: what it was like once a second, its first moment included. */
export interface ScaleItRun {
  readonly seed: number;
  readonly shape: LoadShape;
  readonly samples: readonly ScaleItSample[];
}

/** How long a run is. */
export const runMs = 30 * 60_000;
/** From one sample to the next. */
export const sampleEveryMs = 1_000;

/** The application of a seed, at its start. */
export function modelOf(seed: number): ScaleItModel {
  return new ScaleItModel({ seed, load: loadCurve(shapeOf(seed), seed) });
}

/** What a run comes to. */
export interface RunFigures {
  /** Mean of the reported CPU. */
  readonly meanCpu: number;
  readonly changesPerMinute: number;
  /** Share of the time in which the CPU was above 0.95. */
  readonly overloaded: number;
}

/** The figures of a run. */
export function figuresOf({ samples }: ScaleItRun): RunFigures {
  const sum = samples.reduce((total, { cpu }) => total + cpu, 0);
  const changes = samples.filter(({ replicas }, index) => replicas !== (samples[index - 1]?.replicas ?? replicas));
  const minutes = ((samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0)) / 60_000;
  return {
    meanCpu: sum / samples.length,
    changesPerMinute: changes.length / minutes,
    overloaded: samples.filter(({ cpu }) => cpu > 0.95).length / samples.length,
  };
}
