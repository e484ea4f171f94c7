import { FakeClock } from "@dormouse/core/testing";
import { shapeOf } from "../../examples/scaleit/load-curve.ts";
import { noFaults, usualFaults } from "../../examples/scaleit/request-fault.ts";
import type { ScaleItSample } from "../../examples/scaleit/scaleit-model.ts";
import { openScaleItServer } from "../../examples/scaleit/scaleit-server.ts";
import { loadScaleItVariables } from "../../packages/cli/src/config/scaleit-variables.ts";
import type { Host } from "../../packages/cli/src/host/host.ts";
import { openHost } from "../../packages/cli/src/host/open-host.ts";
import { openLog } from "../../packages/cli/src/log/open-log.ts";
import { modelOf, runMs, sampleEveryMs, type ScaleItRun } from "./scaleit-run.ts";
import { VirtualTime } from "./virtual-time.ts";

/**
 * The whole host of `dormouse autoscaler`, configured by ScaleIt's variables alone, over the simulated server with its usual
 * faults, by real requests in virtual time.
 */
export async function holdByDormouse(seed: number): Promise<ScaleItRun> {
  const clock = new FakeClock();
  const model = modelOf(seed);
  let faults = noFaults;
  const server = await openScaleItServer({ model, clock, seed, faults: () => faults });
  const time = new VirtualTime(clock, server);
  const samples: ScaleItSample[] = [model.sample()];
  const sample = (): void => {
    model.advanceTo(server.atMs);
    samples.push(model.sample());
    if (server.atMs < runMs) clock.setTimer(sampleEveryMs, sample);
  };
  clock.setTimer(sampleEveryMs, sample);
  try {
    // Modules are loaded and sockets opened, at which time stands still; nothing may have to wait for it.
    const host = await startHost(server.port, clock);
    faults = usualFaults;
    await time.runTo(runMs);
    await time.runWhile(host.stop());
  } finally {
    time[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  }
  return { seed, shape: shapeOf(seed), samples };
}

async function startHost(port: number, clock: FakeClock): Promise<Host> {
  const environment = { APP_SERVICE_URL: "http://127.0.0.1", APP_SERVICE_PORT: String(port), LOG_LEVEL: "SILENT" };
  const overrides = [{ path: ["admin", "listen"], value: "127.0.0.1:0", origin: "the measurement" }];
  const loaded = loadScaleItVariables(environment, overrides);
  const log = await openLog({ config: loaded.config.log, terminal: false, color: false, sink: { write: () => {} } });
  return openHost({ role: "autoscaler", loaded, overrides, environment, clock, log });
}
