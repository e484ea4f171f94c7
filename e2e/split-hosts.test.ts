// DLXs and autoscalers as processes of their own, which find each other by a written list and share one platform.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { until } from "./harness/until.ts";
import { Cluster, idleAfterMs, type SplitDlx } from "./split/cluster.ts";
import type { SplitHost } from "./split/split-host.ts";

const resource = "/v1/resources/shared/default/shop";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.open();
});

afterEach(({ task }) => {
  if (task.result?.state !== "fail") return;
  for (const { id, tail } of cluster.hosts) console.error(`--- end of what ${id} printed\n${tail}`);
});

afterAll(async () => cluster[Symbol.asyncDispose]());

function both(): readonly [SplitDlx, SplitDlx] {
  const [a, b] = cluster.dlxs;
  if (a === undefined || b === undefined) throw new Error("there are two DLXs");
  return [a, b];
}

async function untilAsleep(): Promise<void> {
  const { platform } = cluster;
  await until("the service slept", () => platform.desired === 0);
}

async function untilLed(): Promise<SplitHost> {
  return until("an autoscaler led", () => cluster.leader);
}

function standbyOf(leader: SplitHost): SplitHost {
  const standby = cluster.autoscalers.find((host) => host !== leader);
  if (standby === undefined) throw new Error("there are two autoscalers");
  return standby;
}

it("loses no request at any of several DLXs around sleeps and wakes", async () => {
  const { platform, dlxs } = cluster;
  for (let round = 0; platform.stops < 12; round += 1) {
    expect(round).toBeLessThan(60);
    await Promise.all(dlxs.map(({ client }) => client.burst(5)));
    // Around the moment at which the service has been unused for long enough, on both sides of it.
    const pauseMs = idleAfterMs * (0.9 + Math.random() * 0.6);
    await sleep(pauseMs);
    await Promise.all(dlxs.map(({ client }, at) => sleep(Math.random() * 20 * at).then(() => client.send())));
    if (round % 3 === 0) await untilAsleep();
  }
  expect(cluster.discrepancies()).toEqual([]);
});

it("shows an operator the sums at the autoscaler, its own counts at a DLX, and sleeps only where that can be done", async () => {
  const [a, b] = both();
  const { autoscalers } = cluster;
  const open = cluster.platform.holdStarts();
  await untilAsleep();
  const answers = [a.client.burst(3), b.client.burst(2)];
  await until("each DLX held its own", async () => {
    const held = await Promise.all([a, b, ...autoscalers].map(async (host) => (await host.get(resource))["held"]));
    return held.join() === "3,2,5,5";
  });
  expect(await a.get("/v1/resources")).toMatchObject({ role: "dlx" });
  let told: unknown;
  await until(
    () => `an autoscaler told who leads, but ${JSON.stringify(told)}`,
    async () => {
      const leader = await untilLed();
      const { role, lead } = (await autoscalers[0]?.get("/v1/resources")) ?? {};
      told = { role, lead };
      return role === "autoscaler" && (lead as { readonly leader?: string } | undefined)?.leader === leader.id;
    },
  );
  expect((await fetch(`${a.admin}${resource}/sleep`, { method: "POST" })).status).toBe(405);
  open();
  await Promise.all(answers);
  let refused: Readonly<Record<string, unknown>> = {};
  await until(
    () => `the other one named the leader, but ${JSON.stringify(refused)}`,
    async () => {
      const leader = await untilLed();
      const answer = await fetch(`${standbyOf(leader).admin}${resource}/sleep`, { method: "POST" });
      refused = (await answer.json()) as Readonly<Record<string, unknown>>;
      const { outcome, code, reason } = refused;
      const isRefused = outcome === "refused" && code === "not-leader";
      return isRefused && String(reason).includes(`The leader is ${leader.id}.`);
    },
  );
  await untilAsleep();
  const woken = await fetch(`${standbyOf(await untilLed()).admin}${resource}/wake`, { method: "POST" });
  expect(await woken.json()).toMatchObject({ kind: "wake", outcome: "done", from: 0, to: 1 });
  expect(cluster.discrepancies()).toEqual([]);
});

it("keeps awake what a DLX that does not answer may be using", async () => {
  const { platform } = cluster;
  const [a, b] = both();
  await a.client.send();
  b.signal("SIGSTOP");
  try {
    await a.client.send();
    const { stops } = platform;
    await until("the autoscaler said why it keeps", async () => {
      const { decision } = await (await untilLed()).get(`${resource}/why`);
      return (decision as { readonly reason?: string } | undefined)?.reason === "dlx-unknown";
    });
    await sleep(idleAfterMs * 5);
    expect(platform.stops).toBe(stops);
    expect(platform.desired).toBe(1);
  } finally {
    b.signal("SIGCONT");
  }
  await untilAsleep();
  expect(cluster.discrepancies()).toEqual([]);
});

it("keeps held requests through the death of the leader, whose place the other takes", async () => {
  const { platform } = cluster;
  const [a, b] = both();
  await untilAsleep();
  const open = platform.holdStarts();
  const answers = [a.client.burst(5), b.client.burst(5)];
  await until("both DLXs held", async () => {
    const held = await Promise.all([a, b].map(async (dlx) => (await dlx.get(resource))["held"]));
    return held.every((count) => count === 5);
  });
  const dead = await untilLed();
  dead.signal("SIGKILL");
  await dead.ended();
  await until("the other led", () => cluster.leader !== undefined && cluster.leader !== dead);
  await dead.start();
  open();
  await Promise.all(answers);
  await untilAsleep();
  expect(cluster.discrepancies()).toEqual([]);
});

it("hands the lead over at once where the leader is stopped in order", async () => {
  const leader = await untilLed();
  leader.signal("SIGTERM");
  expect(await leader.ended()).toBe(0);
  // Without the release the lease would hold for a second.
  expect(cluster.platform.leader).not.toBe(leader.id);
  await leader.start();
  expect(cluster.discrepancies()).toEqual([]);
});

it("loses nothing where a DLX is stopped under load, with a balancer that asks whether it is ready", async () => {
  const [a, b] = both();
  const abort = new AbortController();
  const ready = new Map<SplitDlx, boolean>();
  const sending: Promise<unknown>[] = [];
  const probe = async (): Promise<void> => {
    for (; !abort.signal.aborted; await sleep(20)) for (const dlx of [a, b]) ready.set(dlx, await dlx.isReady());
  };
  const load = async (): Promise<void> => {
    for (let turn = 0; !abort.signal.aborted; turn += 1, await sleep(4)) {
      const usable = [a, b].filter((dlx) => ready.get(dlx) === true);
      const dlx = usable[turn % usable.length];
      if (dlx !== undefined) sending.push(dlx.client.send());
    }
  };
  const running = [probe(), load()];
  await until("both took part", () => sending.length > 100);
  a.signal("SIGTERM");
  expect(await a.ended()).toBe(0);
  const before = sending.length;
  await until("the other served alone", () => sending.length > before + 100);
  await a.start();
  const all = sending.length;
  await until("both took part again", () => sending.length > all + 100);
  abort.abort();
  await Promise.all(running);
  await Promise.all(sending);
  expect(cluster.discrepancies()).toEqual([]);
  await untilAsleep();
});
