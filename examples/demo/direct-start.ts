import { systemClock } from "@dormouse/core";
import { acceptsConnections } from "./accepts-connections.ts";
import type { DemoService } from "./demo-service.ts";
import { RunningProgram } from "./running-program.ts";
import { ServiceClient } from "./service-client.ts";

/** Time between two attempts to reach a service that is starting, in ms: short, as it is part of what is measured. */
const redialMs = 2;

const patienceMs = 30_000;

/** What a service does by itself, without Dormouse; all in ms. */
export interface DirectRun {
  /** From its start to its first answer. */
  readonly firstAnswerMs: number;
  /** Each of the exchanges that follow. */
  readonly warmMs: readonly number[];
}

/** Starts the service by hand, measures it, and ends it. Rejects where it does not answer. */
export async function measureDirectRun(service: DemoService, label: string, signal: AbortSignal): Promise<DirectRun> {
  const start = systemClock.monotonic();
  const program = new RunningProgram(service.command);
  const client = new ServiceClient(`http://127.0.0.1:${service.port}`);
  try {
    await untilReady(service, program, client, signal);
    await service.exchange(client, `${label}-0`, signal);
    const firstAnswerMs = systemClock.monotonic() - start;
    return { firstAnswerMs, warmMs: await timeExchanges(service, client, label, signal) };
  } finally {
    await client[Symbol.asyncDispose]();
    await program.end();
  }
}

/** How long each of the service's warm exchanges takes, one after the other, in ms. */
export async function timeExchanges(
  service: DemoService,
  client: ServiceClient,
  label: string,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 1; index <= service.warmExchanges; index++) {
    const start = systemClock.monotonic();
    await service.exchange(client, `${label}-${index}`, signal);
    times.push(systemClock.monotonic() - start);
  }
  return times;
}

async function untilReady(
  service: DemoService,
  program: RunningProgram,
  client: ServiceClient,
  signal: AbortSignal,
): Promise<void> {
  const deadline = systemClock.monotonic() + patienceMs;
  while (!(await isReady(service, client, signal))) {
    if (program.hasEnded) throw new Error(`${service.title} ended by itself:\n${program.output}`);
    if (systemClock.monotonic() > deadline) throw new Error(`${service.title} did not start:\n${program.output}`);
    await systemClock.sleep(redialMs, signal);
  }
}

async function isReady(service: DemoService, client: ServiceClient, signal: AbortSignal): Promise<boolean> {
  if (!(await acceptsConnections(service.port))) return false;
  if (service.readiness === undefined) return true;
  return (await client.get(service.readiness, signal)).status === 200;
}
