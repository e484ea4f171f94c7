import { formatDuration, systemClock } from "@dormouse/core";
import { acceptsConnections } from "./accepts-connections.ts";
import { Conversation } from "./chat-server.ts";
import type { DormouseHost } from "./dormouse-host.ts";
import type { Reporter } from "./reporter.ts";
import type { ResourceWatch } from "./resource-watch.ts";
import { ServiceClient } from "./service-client.ts";
import { median, type ServiceTally } from "./service-tally.ts";

/** Requests that come at once to a sleeping service. */
const volley = 5;

const untilAsleepMs = 15_000;

export interface Stage {
  readonly host: DormouseHost;
  readonly watch: ResourceWatch;
  readonly reporter: Reporter;
  /** Lets one service wake at a time, so that no start slows another that is being measured. */
  readonly inTurn: <T>(wake: () => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
}

/** Wakes the service by requests, uses it, and waits until it is asleep again, as often as told. */
export async function runRounds(tally: ServiceTally, rounds: number, stage: Stage): Promise<void> {
  const client = new ServiceClient(stage.host.originOf(tally.service));
  try {
    await untilAsleep(tally, stage);
    for (let round = 1; round <= rounds; round++) {
      await stage.inTurn(async () => wakeByVolley(tally, client, `r${round}-cold`, stage));
      await useWarm(tally, client, `r${round}-warm`, stage);
      await untilAsleep(tally, stage);
      tally.sleeps++;
    }
  } finally {
    await client[Symbol.asyncDispose]();
  }
}

/** Keeps a conversation open and silent for so long, speaks again, and says in which states the service was seen. */
export async function holdOpen(tally: ServiceTally, forMs: number, stage: Stage): Promise<ReadonlySet<string>> {
  const { watch, signal } = stage;
  const client = new ServiceClient(stage.host.originOf(tally.service));
  const conversation = new Conversation(client, "held-open", signal);
  const seen = new Set<string>();
  try {
    await stage.inTurn(async () => conversation.opened());
    tally.answeredCold("held-open");
    await watch.until(tally.service.name, "awake", untilAsleepMs, signal);
    stage.reporter.tell(`${tally.service.name}: a WebSocket is open and silent for ${formatDuration(forMs)}`);
    const end = systemClock.monotonic() + forMs;
    while (systemClock.monotonic() < end) {
      seen.add(watch.stateOf(tally.service.name));
      await systemClock.sleep(50, signal);
    }
    await conversation.speak("still here");
  } finally {
    conversation.close();
    await client[Symbol.asyncDispose]();
  }
  await untilAsleep(tally, stage);
  return seen;
}

async function wakeByVolley(tally: ServiceTally, client: ServiceClient, label: string, stage: Stage): Promise<void> {
  const before = tally.coldMs.length;
  const ids = Array.from({ length: volley }, (_, index) => `${label}-${index}`);
  await Promise.all(ids.map(async (id, index) => sendCold(tally, client, id, index === 0, stage.signal)));
  const tookMs = tally.coldMs.slice(before).at(0);
  if (tookMs === undefined) return;
  const ownMs = median(tally.direct.map(({ firstAnswerMs }) => firstAnswerMs));
  stage.reporter.tell(
    `${tally.service.name}: ${volley} requests woke it; first answer after ${tookMs.toFixed(0)} ms (by itself ${ownMs.toFixed(0)} ms)`,
  );
}

async function sendCold(
  tally: ServiceTally,
  client: ServiceClient,
  id: string,
  isMeasured: boolean,
  signal: AbortSignal,
): Promise<void> {
  const start = systemClock.monotonic();
  try {
    const { coldStart } = await tally.service.exchange(client, id, signal);
    tally.answeredCold(id);
    if (isMeasured) tally.coldMs.push(systemClock.monotonic() - start);
    if (coldStart === false) tally.problems.push(`${tally.service.name} ${id}: answered as warm while it slept`);
  } catch (error) {
    noteLost(tally, id, error, signal);
  }
}

async function useWarm(tally: ServiceTally, client: ServiceClient, label: string, stage: Stage): Promise<void> {
  for (let index = 0; index < tally.service.warmExchanges; index++) {
    const id = `${label}-${index}`;
    const start = systemClock.monotonic();
    try {
      const { coldStart } = await tally.service.exchange(client, id, stage.signal);
      tally.answeredWarm(id);
      tally.warmMs.push(systemClock.monotonic() - start);
      if (coldStart === true) tally.problems.push(`${tally.service.name} ${id}: answered as cold while it was awake`);
    } catch (error) {
      noteLost(tally, id, error, stage.signal);
    }
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
