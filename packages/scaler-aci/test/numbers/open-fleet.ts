import { randomUUID } from "node:crypto";
import { defaultPolicy, type LocalRef, type Milliseconds, type ResourceChange, silentLogger } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { aciOptions } from "../../src/aci-options.ts";
import { AciScaler } from "../../src/aci-scaler.ts";
import { directClient, fixedCredential } from "../fake/direct-client.ts";
import { FakeArm, type FakeRequest } from "../fake/fake-arm.ts";
import { startNothing } from "../fake/group-servers.ts";
import type { RequestCount } from "./measure-requests.ts";

/** A scaler with its default options over many groups of the fake, all in virtual time. */
export interface Fleet {
  readonly clock: FakeClock;
  readonly arm: FakeArm;
  readonly scaler: AciScaler;
  readonly refs: readonly LocalRef[];
  /** Begins to watch, and goes on. Resolves with the snapshot. */
  watch(): Promise<void>;
  /** Calls back after each change that the watch tells. */
  onChange(listener: (change: ResourceChange) => void): void;
  /** Lets time pass until the work is done. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  /** The same, and counts requests. */
  measure(what: string, work: () => Promise<unknown>): Promise<RequestCount>;
  /** Starts every group past the scaler. */
  startAll(): Promise<void>;
  close(): Promise<void>;
}

const turnsOfARequest = 20;

export async function openFleet(size: number, startMs: Milliseconds): Promise<Fleet> {
  const clock = new FakeClock();
  const subscription = randomUUID();
  const arm = new FakeArm({
    clock,
    subscription,
    accepts: () => true,
    delays: { start: startMs, restart: 10_000 },
    startServer: startNothing,
  });
  const groups = Array.from({ length: size }, (_, index) => arm.add("fleet", `g${index}`, { port: 8_000 + index }));
  const context = { id: "aci", clock, logger: silentLogger, defaults: defaultPolicy };
  const options = aciOptions.parse({ subscriptions: [{ id: subscription }], armEndpoint: arm.origin });
  const scaler = await AciScaler.open(options, context, { httpClient: directClient(arm), credential: fixedCredential });
  const seconds: number[] = [];
  const listeners = new Set<(change: ResourceChange) => void>();
  let refused = 0;
  arm.onAnswer = ({ status }) => {
    seconds.push(Math.floor(clock.monotonic() / 1_000));
    if (status === 429) refused += 1;
  };

  async function run<Result>(work: () => Promise<Result>): Promise<Result> {
    let isDone = false;
    const running = work().finally(() => (isDone = true));
    running.catch(() => {});
    for (await settle(); !isDone; await settle()) await clock.step();
    return running;
  }

  const fleet: Fleet = {
    clock,
    arm,
    scaler,
    refs: groups.map(({ name }) => ({ namespace: "fleet", name })),
    async watch() {
      const changes = scaler.watchResources()[Symbol.asyncIterator]();
      await changes.next();
      void tellAll(changes, listeners);
    },
    onChange: (listener) => void listeners.add(listener),
    run,
    async measure(what, work) {
      const from = { requests: arm.requests.length, at: clock.monotonic(), seconds: seconds.length, refused };
      await run(work);
      const requests = arm.requests.slice(from.requests);
      return {
        what,
        reads: requests.filter(isRead).length,
        writes: requests.filter((each) => !isRead(each)).length,
        mostPerSecond: mostOf(seconds.slice(from.seconds)),
        refused: refused - from.refused,
        tookMs: Math.round(clock.monotonic() - from.at),
      };
    },
    async startAll() {
      for (const group of groups) group.start(randomUUID());
      await run(async () => clock.sleep(2 * startMs));
    },
    async close() {
      await scaler[Symbol.asyncDispose]();
      await arm[Symbol.asyncDispose]();
    },
  };
  return fleet;
}

/** A request goes through the SDK in a few turns of the event loop; until all are over time stands still. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < turnsOfARequest; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function tellAll(
  changes: AsyncIterator<ResourceChange>,
  listeners: ReadonlySet<(change: ResourceChange) => void>,
): Promise<void> {
  for (let next = await changes.next(); next.done !== true; next = await changes.next())
    for (const listener of listeners) listener(next.value);
}

function isRead({ method }: FakeRequest): boolean {
  return method === "GET";
}

function mostOf(seconds: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const second of seconds) counts.set(second, (counts.get(second) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}
