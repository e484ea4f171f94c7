// A real `dormouse autoscaler`, told of one application by a file of variables alone, holds it over real sockets.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { systemClock } from "@dormouse/core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RunningProgram } from "../examples/demo/running-program.ts";
import { startAutoscaler } from "../examples/scaleit/autoscaler-process.ts";
import { noFaults } from "../examples/scaleit/request-fault.ts";
import { ScaleItModel } from "../examples/scaleit/scaleit-model.ts";
import { openScaleItServer, type ScaleItServer } from "../examples/scaleit/scaleit-server.ts";
import { freePort } from "./harness/free-port.ts";
import { until } from "./harness/until.ts";

const speed = 15;
const demo = fileURLToPath(new URL("../examples/scaleit/demo-scaleit.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "dormouse-e2e-"));

let load = 9;
let faults = noFaults;
const model = new ScaleItModel({ seed: 1, replicas: 8, load: () => load });
let server: ScaleItServer;
let autoscaler: RunningProgram;
let admin: string;

function serve(port: number, startAtMs: number): Promise<ScaleItServer> {
  return openScaleItServer({ model, clock: systemClock, seed: 1, faults: () => faults, speed, port, startAtMs });
}

beforeAll(async () => {
  server = await serve(0, 0);
  const port = await freePort();
  admin = `http://127.0.0.1:${String(port)}`;
  const { port: application } = server;
  autoscaler = startAutoscaler({ folder, port: application, admin: port, speed, target: 0.8, tolerance: 0.1 });
});

afterEach(({ task }) => {
  if (task.result?.state === "fail") console.error(`--- end of what the autoscaler printed\n${autoscaler.output}`);
});

afterAll(async () => {
  await autoscaler.end();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** What /metrics says of a series; undefined where there is none. */
async function metric(series: string): Promise<number | undefined> {
  const text = await fetch(`${admin}/metrics`).then(
    (answer) => answer.text(),
    () => "",
  );
  const line = text.split("\n").find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.split(" ")[1]);
}

const failedGets = 'requests_failures_total{method="get",endpoint="/app/status"}';
const failedPuts = 'requests_failures_total{method="put",endpoint="/app/replicas"}';

/** The replicas once the CPU of a load is in its band: by the tolerance, up to an eighth fewer or a seventh more than it needs. */
async function heldAt(next: number): Promise<number> {
  load = next;
  const needed = load / 0.8;
  const isHeld = (): boolean => {
    model.advanceTo(server.atMs);
    const { replicas, cpu } = model.sample();
    return replicas >= Math.floor(needed * 0.87) && replicas <= Math.ceil(needed * 1.17) && Math.abs(cpu - 0.8) < 0.15;
  };
  await until(() => `a load of ${String(load)} was held: ${JSON.stringify(model.sample())}`, isHeld, 60_000);
  return model.sample().replicas;
}

describe("dormouse autoscaler, told of an application by variables", () => {
  it("shows its heartbeat, and both kinds of failed requests", async () => {
    await until("it had a heartbeat", async () => ((await metric("autoscaler_heartbeat_total")) ?? 0) > 0, 60_000);
    expect(await metric(failedGets)).toBeGreaterThanOrEqual(0);
    expect(await metric(failedPuts)).toBeGreaterThanOrEqual(0);
  });

  it("raises and lowers the replicas until the CPU is near 0.80, while requests fail in every way", async () => {
    expect(await heldAt(9)).toBeGreaterThan(8);
    faults = { error: 0.15, timeout: 0.05, broken: 0.1 };
    expect(await heldAt(13)).toBeGreaterThan(12);
    expect(await heldAt(6)).toBeLessThan(10);
    expect(await until("failures were counted", async () => metric(failedGets))).toBeGreaterThan(0);
    faults = noFaults;
  });

  it("leaves everything as it is while the server is away, and goes on once it is back", async () => {
    const { port, atMs } = server;
    await server[Symbol.asyncDispose]();
    const before = (await metric(failedGets)) ?? 0;
    const { replicas } = model.sample();
    load = 12;
    await until("it noticed", async () => ((await metric(failedGets)) ?? 0) > before + 5);
    const why = await (await fetch(`${admin}/v1/resources/http/default/app/why`)).json();
    expect(JSON.stringify(why)).toMatch(/unknown|unavailable/i);
    expect(model.sample().replicas).toBe(replicas);
    server = await serve(port, atMs);
    expect(await heldAt(12)).toBeGreaterThan(12);
  });

  it("puts nothing to sleep, since no DLX is known, and says so", async () => {
    const { replicas } = model.sample();
    const answer = await fetch(`${admin}/v1/resources/http/default/app/sleep`, { method: "POST" });
    expect(await answer.json()).toMatchObject({
      outcome: "refused",
      code: expect.stringMatching(/^(no-dlx|min-replicas)$/) as string,
    });
    expect(model.sample().replicas).toBe(replicas);
  });

  it("is shown by a demo that draws what happened and ends by itself", async () => {
    const plot = join(folder, "run.svg");
    const args = ["--conditions=@dormouse/source", demo, "--minutes", "2", "--speed", "20", "--plot", plot];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
    expect(stdout).toMatch(/^held: mean CPU 0\.\d{3}, /m);
    expect(readFileSync(plot, "utf8")).toMatch(/^<svg .*<\/svg>$/s);
  });

  it("ends in order when it is told to", async () => {
    expect(await autoscaler.end()).toBe(0);
  });
});
