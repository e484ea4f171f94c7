import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@dormouse/core";
import { freePort } from "../demo/free-port.ts";
import type { RunningProgram } from "../demo/running-program.ts";
import { startAutoscaler } from "./autoscaler-process.ts";
import { drawRun } from "./draw-run.ts";
import { loadCurve, shapeOf } from "./load-curve.ts";
import { usualFaults } from "./request-fault.ts";
import { ScaleItModel, type ScaleItSample } from "./scaleit-model.ts";
import { openScaleItServer, type ScaleItServer } from "./scaleit-server.ts";

export interface ScaleItDemoOptions {
  readonly seed: number;
  /** Simulated. */
  readonly minutes: number;
  /** Simulated seconds in one. */
  readonly speed: number;
  /** File that the plot is written to. */
  readonly plot: string;
  readonly write: (text: string) => void;
  readonly signal: AbortSignal;
}

const target = { value: 0.8, tolerance: 0.1 };
/** How near to the target the mean has to be: in real time no two runs are the same. */
const meanTolerance = 0.05;

/** In simulated ms. */
const sampleEveryMs = 1_000;
const tellEveryMs = 60_000;
/** How long the autoscaler may take to start, in real ms. */
const patienceMs = 30_000;

/**
 * Runs the simulated server, faster than real time, and a real `dormouse autoscaler` beside it; tells and draws what
 * happened. True: the mean CPU was near the target.
 */
export async function runScaleItDemo(options: ScaleItDemoOptions): Promise<boolean> {
  const { seed, speed, write, plot } = options;
  const shape = shapeOf(seed);
  const folder = mkdtempSync(join(tmpdir(), "dormouse-scaleit-"));
  const admin = await freePort();
  const model = new ScaleItModel({ seed, load: loadCurve(shape, seed) });
  const server = await openScaleItServer({ model, clock: systemClock, seed, faults: () => usualFaults, speed });
  const program = startAutoscaler({
    folder,
    port: server.port,
    admin,
    speed,
    target: target.value,
    tolerance: target.tolerance,
  });
  try {
    write(
      `ScaleIt: a load of ${shape} (seed ${String(seed)}), ${String(speed)} times as fast as real; dormouse autoscaler holds it.\n`,
    );
    await untilAsked(server, program, options.signal);
    const samples = await record(model, server, program, options);
    writeFileSync(
      plot,
      await drawRun(`Held by dormouse autoscaler: ${shape} of seed ${String(seed)}`, samples, target),
    );
    return conclude(samples, server, options);
  } finally {
    await program.end();
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Nobody holds anything while the autoscaler still starts. */
async function untilAsked(server: ScaleItServer, program: RunningProgram, signal: AbortSignal): Promise<void> {
  const deadline = systemClock.monotonic() + patienceMs;
  while (server.counts.received === 0) {
    assertRuns(program);
    if (systemClock.monotonic() > deadline) throw new Error(`nobody asked the simulator in time:\n${program.output}`);
    await systemClock.sleep(20, signal);
  }
}

function assertRuns(program: RunningProgram): void {
  if (program.hasEnded) throw new Error(`dormouse autoscaler ended by itself:\n${program.output}`);
}

async function record(
  model: ScaleItModel,
  server: ScaleItServer,
  program: RunningProgram,
  { minutes, speed, write, signal }: ScaleItDemoOptions,
): Promise<readonly ScaleItSample[]> {
  const samples: ScaleItSample[] = [];
  const beganAtMs = server.atMs;
  let toldAtMs = beganAtMs;
  while (server.atMs - beganAtMs < minutes * 60_000) {
    assertRuns(program);
    model.advanceTo(server.atMs);
    const sample = model.sample();
    samples.push({ ...sample, atMs: sample.atMs - beganAtMs });
    if (sample.atMs >= toldAtMs) {
      write(describe(sample, beganAtMs));
      toldAtMs += tellEveryMs;
    }
    await systemClock.sleep(sampleEveryMs / speed, signal);
  }
  return samples;
}

function describe({ atMs, load, replicas, cpu }: ScaleItSample, beganAtMs: number): string {
  const minute = ((atMs - beganAtMs) / 60_000).toFixed(1).padStart(5);
  const bar = "#".repeat(Math.round(cpu * 40)).padEnd(40, ".");
  return `minute ${minute}  load ${load.toFixed(1).padStart(4)}  replicas ${String(replicas).padStart(3)}  CPU ${cpu.toFixed(2)} ${bar}\n`;
}

function conclude(
  samples: readonly ScaleItSample[],
  server: ScaleItServer,
  { write, plot, minutes }: ScaleItDemoOptions,
): boolean {
  const mean = samples.reduce((sum, { cpu }) => sum + cpu, 0) / samples.length;
  const changes = samples.filter(({ replicas }, index) => replicas !== (samples[index - 1]?.replicas ?? replicas));
  const isHeld = Math.abs(mean - target.value) <= meanTolerance;
  const { received, faults } = server.counts;
  write(
    `\n${isHeld ? "held" : "NOT HELD"}: mean CPU ${mean.toFixed(3)}, ${(changes.length / minutes).toFixed(2)} changes of the replicas a simulated minute, ` +
      `${String(faults)} of ${String(received)} requests met a fault\nplot: ${plot}\n`,
  );
  return isHeld;
}
