import { formatDuration, systemClock } from "@dormouse/core";
import { acceptsConnections } from "./accepts-connections.ts";
import { Conversation } from "./chat-server.ts";
import { measureDirectRun } from "./direct-start.ts";
import type { DormouseHost } from "./dormouse-host.ts";
import type { Reporter } from "./reporter.ts";
import type { ResourceWatch } from "./resource-watch.ts";
import { ServiceClient } from "./service-client.ts";
import { median, type ServiceTally } from "./service-tally.ts";

/** Requests that come at once to a sleeping service. */
const volley = 5;

const untilAsleepMs = 30_000;

export interface Stage {
  readonly host: DormouseHost;
  readonly watch: ResourceWatch;
  readonly reporter: Reporter;
  /** Lets one service wake at a time, so that no start slows another that is being measured. */
  readonly inTurn: <T>(wake: () => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
}

/** Starts the service by hand, then wakes it by requests, uses it, and waits until it is asleep again, as often as told. */
export async function runRounds(tally: ServiceTally, rounds: number, stage: Stage): Promise<void> {
  const client = new ServiceClient(stage.host.originOf(tally.service));
  try {
    await stage.watch.until(tally.service.name, "asleep", untilAsleepMs, stage.signal);
    for (let round = 1; round <= rounds; round++) {
      await stage.inTurn(async () => runPair(tally, client, `r${round}`, stage));
      await untilAsleep(tally, stage);
      tally.sleeps++;
    }
  } finally {
    await client[Symbol.asyncDispose]();
  }
}

async function runPair(tally: ServiceTally, client: ServiceClient, label: string, stage: Stage): Promise<void> {
  const { twin, service } = tally;
  stage.signal.throwIfAborted();
  stage.reporter.tell(`${service.name}: starts by hand`);
  const own = await measureDirectRun(twin, label, stage.signal);
  const coldMs = await wakeByVolley(tally, client, `${label}-cold`, stage.signal);
  const warmMs = await useWarm(tally, client, `${label}-warm`, stage.signal);
  if (coldMs === undefined || warmMs.length === 0) return;
  tally.pairs.push({ ownStartMs: own.firstAnswerMs, coldMs, ownWarmMs: median(own.warmMs), warmMs: median(warmMs) });
  const took = `${coldMs.toFixed(0)} ms, ${own.firstAnswerMs.toFixed(0)} ms by hand`;
  stage.reporter.tell(`${service.name}: ${volley} requests woke it; first answer after ${took}`);
}

/** Keeps a conversation open and silent for so long, speaks again, and gives the states in which the service was seen. */
export async function holdOpen(tally: ServiceTally, forMs: number, stage: Stage): Promise<ReadonlySet<string>> {
  const client = new ServiceClient(stage.host.originOf(tally.service));
  const conversation = new Conversation(client, "held-open", stage.signal);
  const seen = new Set<string>();
  try {
    await stage.inTurn(async () => conversation.opened());
    await watchSilence(tally.service.name, forMs, stage, seen);
    await conversation.speak("still here");
    tally.wasAnswered("held-open", true);
  } catch (error) {
    noteLost(tally, "held-open", error, stage.signal);
  } finally {
    conversation.close();
    await client[Symbol.asyncDispose]();
  }
  await untilAsleep(tally, stage);
  return seen;
}

async function watchSilence(name: string, forMs: number, stage: Stage, seen: Set<string>): Promise<void> {
  const { watch, reporter, signal } = stage;
  await watch.until(name, "awake", untilAsleepMs, signal);
  reporter.tell(`${name}: a WebSocket is open and silent for ${formatDuration(forMs)}`);
  const end = systemClock.monotonic() + forMs;
  while (systemClock.monotonic() < end) {
    seen.add(watch.stateOf(name));
    await systemClock.sleep(50, signal);
  }
}

/** Sends some requests at once to the sleeping service, and gives how long the first of them took, in ms. */
async function wakeByVolley(
  tally: ServiceTally,
  client: ServiceClient,
  label: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const sent = Array.from({ length: volley }, async (_, index) =>
    send(tally, client, `${label}-${index}`, true, signal),
  );
  const [firstMs] = await Promise.all(sent);
  return firstMs;
}

/** Sends one request after the other to the service, which is awake, and gives how long each took, in ms. */
async function useWarm(
  tally: ServiceTally,
  client: ServiceClient,
  label: string,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < tally.service.warmExchanges; index++) {
    const tookMs = await send(tally, client, `${label}-${index}`, false, signal);
    if (tookMs !== undefined) times.push(tookMs);
  }
  return times;
}

/** How long the exchange took, in ms; undefined where it was lost. */
async function send(
  tally: ServiceTally,
  client: ServiceClient,
  id: string,
  isCold: boolean,
  signal: AbortSignal,
): Promise<number | undefined> {
  const start = systemClock.monotonic();
  try {
    const { coldStart } = await tally.service.exchange(client, id, signal);
    tally.wasAnswered(id, isCold);
    if (coldStart === !isCold)
      tally.problems.push(`${tally.service.name} ${id}: answered as ${isCold ? "warm" : "cold"}`);
    return systemClock.monotonic() - start;
  } catch (error) {
    noteLost(tally, id, error, signal);
    return undefined;
  }
}

/** Nothing is lost by the demo's own end. */
function noteLost(tally: ServiceTally, id: string, error: unknown, signal: AbortSignal): void {
  signal.throwIfAborted();
  tally.wasLost(`${tally.service.name} ${id}: ${error instanceof Error ? error.message : String(error)}`);
}

async function untilAsleep({ service, problems }: ServiceTally, { watch, reporter, signal }: Stage): Promise<void> {
  await watch.until(service.name, "asleep", untilAsleepMs, signal);
  if (await acceptsConnections(service.port)) problems.push(`${service.name}: asleep, but its process still listens`);
  reporter.tell(`${service.name}: asleep, its process is gone`);
}
