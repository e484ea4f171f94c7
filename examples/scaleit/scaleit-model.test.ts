import { describe, expect, it } from "vitest";
import { loadCurve } from "./load-curve.ts";
import { ScaleItModel } from "./scaleit-model.ts";

const quiet = { seed: 1, noise: 0 };

function cpuAfter(model: ScaleItModel, atMs: number): number {
  model.advanceTo(atMs);
  return model.sample().cpu;
}

describe("the simulated application", () => {
  it("shares its load among its replicas, and has no more CPU than there is", () => {
    expect(new ScaleItModel({ ...quiet, load: () => 8 }).sample().cpu).toBe(0.8);
    expect(new ScaleItModel({ ...quiet, load: () => 8, replicas: 4 }).sample().cpu).toBe(1);
  });

  it("shows more replicas late: they start, and then the CPU follows", () => {
    const model = new ScaleItModel({ ...quiet, load: () => 8, replicas: 8, startMs: 2_000, lagMs: 3_000 });
    model.setReplicas(16);
    expect(model.sample()).toMatchObject({ replicas: 16, running: 8, cpu: 1 });
    const after = [500, 3_000, 6_000, 30_000].map((atMs) => cpuAfter(model, atMs));
    expect(after[0]).toBe(1);
    expect(after[1]).toBeLessThan(1);
    expect(after[2]).toBeLessThan(after[1] ?? 0);
    expect(after[3]).toBeCloseTo(0.5, 2);
    expect(model.sample().running).toBe(16);
  });

  it("ends the youngest replicas first and keeps one that works", () => {
    const model = new ScaleItModel({ ...quiet, load: () => 1, replicas: 2 });
    model.setReplicas(5);
    model.setReplicas(2);
    expect(model.sample()).toMatchObject({ replicas: 2, running: 2 });
    model.setReplicas(1);
    expect(model.sample()).toMatchObject({ replicas: 1, running: 1 });
  });

  it("reports by its seed and its orders alone, however often it is looked at", () => {
    const [often, seldom] = [1, 1].map(() => new ScaleItModel({ seed: 4, load: loadCurve("walk", 4) }));
    for (let atMs = 0; atMs <= 60_000; atMs += 100) often?.advanceTo(atMs);
    for (const model of [often, seldom]) {
      model?.advanceTo(60_000);
      model?.setReplicas(7);
      model?.advanceTo(90_000);
    }
    expect(often?.sample()).toEqual(seldom?.sample());
  });

  it("does not go back in time", () => {
    const model = new ScaleItModel({ ...quiet, load: (atMs) => atMs / 1_000 });
    model.advanceTo(5_000);
    const before = model.sample();
    model.advanceTo(1_000);
    expect(model.sample()).toEqual(before);
  });

  it("wavers around the true value by its noise", () => {
    const model = new ScaleItModel({ seed: 3, load: () => 8, noise: 0.02 });
    const cpus = Array.from({ length: 1_000 }, (_, second) => cpuAfter(model, second * 1_000));
    const mean = cpus.reduce((sum, cpu) => sum + cpu) / cpus.length;
    const deviation = Math.sqrt(cpus.reduce((sum, cpu) => sum + (cpu - mean) ** 2, 0) / cpus.length);
    expect(mean).toBeCloseTo(0.8, 2);
    expect(deviation).toBeGreaterThan(0.015);
    expect(deviation).toBeLessThan(0.025);
  });
});
