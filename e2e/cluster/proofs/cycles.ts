import { setTimeout as sleep } from "node:timers/promises";
import type { Burst, BurstResult } from "../caller/send-burst.ts";
import type { Proof, Scene } from "../proof.ts";
import type { Demo } from "../stage/demo.ts";

/** Cycles of both demos together: by `idle-after`, and every other one by `dormouse sleep`, which saves a second. */
const count = { whole: 50, quick: 8 };

/**
 * Requests come from the host and from a Pod at once, at moments that chance chooses: while it sleeps, while it wakes, and
 * in the middle of falling asleep. Every third cycle a late request comes somewhere within the sleep's steps; it may call
 * that sleep off, which is then no cycle.
 */
export const cycles: Proof = {
  name: "cycles",
  title: "sleeps and wakes under requests by ClusterIP and bare name",
  plans: [{ policy: { "idle-after": "1s" } }, { policy: { "idle-after": "1s" } }],
  run: async (scene) => {
    const { demos, tally, isQuick } = scene;
    const each = (isQuick ? count.quick : count.whole) / demos.length;
    const calledOff = await Promise.all(demos.map((demo) => runCycles(scene, demo, each)));
    const sum = calledOff.reduce((total, some) => total + some, 0);
    tally.compare((await Promise.all(demos.map((demo) => demo.ledger()))).flat());
    tally.remark(`${String(tally.rounds)} cycles, ${String(sum)} sleeps called off or undone by a late request`);
  },
};

/** @returns how many sleeps a late request called off */
async function runCycles({ stage, tally, random }: Scene, demo: Demo, wanted: number): Promise<number> {
  let calledOff = 0;
  let done = 0;
  for (let turn = 0; done < wanted; turn += 1) {
    const late = turn % 3 === 2 ? sendLate(demo, turn, random.between(0, 2_500)) : undefined;
    if (turn % 2 === 1) await stage.hosts.sleep(demo.ref).catch(() => {});
    if (late !== undefined) {
      tally.add(await late);
      if ((await demo.deployment()).spec.replicas > 0) calledOff += 1;
    }
    await demo.untilAsleep();
    done += 1;
    tally.countRound();
    await sleep(random.between(0, 300));
    for (const result of await burst(demo, turn, random.between(50, 1_500))) tally.add(result);
  }
  return calledOff;
}

async function sendLate(demo: Demo, turn: number, afterMs: number): Promise<BurstResult> {
  await sleep(afterMs);
  return demo.fromHost({ prefix: `${demo.name}-late-${String(turn)}-`, count: 1, overMs: 0 });
}

async function burst(demo: Demo, turn: number, overMs: number): Promise<readonly BurstResult[]> {
  const of = (where: string): Omit<Burst, "origin"> => ({
    prefix: `${demo.name}-${where}-${String(turn)}-`,
    count: 12,
    overMs,
    serviceMs: 10,
    keepsAlive: true,
  });
  return Promise.all([demo.fromHost(of("host")), demo.fromPod(of("pod"))]);
}
