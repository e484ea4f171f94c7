import { setTimeout as sleep } from "node:timers/promises";
import { sendBurst } from "../caller/send-burst.ts";
import { until } from "../../harness/until.ts";
import type { Proof } from "../proof.ts";
import type { ClusterStage } from "../stage/cluster-stage.ts";
import type { Demo } from "../stage/demo.ts";
import { killProcess, whyNoKill } from "../stage/kill-process.ts";
import { expectRecovered } from "../stage/recovered.ts";
import type { Tally } from "../tally.ts";

const count = { whole: 3, quick: 1 };

/** Requests that each DLX holds. */
const held = 10;

/**
 * What the killed one held is cut, since its connections are gone; whoever is with another one must notice nothing. Nobody
 * is asked to connect before the kubelet has noticed, for a second or so: until then the cluster itself leads there too.
 */
export const dlxKilled: Proof = {
  name: "dlx-killed",
  title: "DLX: SIGKILL while it and another hold requests",
  isAlone: true,
  whyNot: whyNoKill,
  plans: [{ policy: { "idle-after": "1s" } }],
  run: async ({ stage, demo, tally, isQuick, random }) => {
    let cut = 0;
    for (let round = 0; round < (isQuick ? count.quick : count.whole); round += 1) {
      cut += await strike(stage, demo, random.between(0, 800), tally);
    }
    // A GET that the killed one had forwarded already may be among those that were cut; nobody sends it again.
    tally.compare(await demo.ledger());
    tally.remark(`cut with the killed DLX: ${String(cut)} of ${String(tally.rounds * held)} that it held`);
  },
};

/** @returns how many requests were cut */
async function strike(stage: ClusterStage, demo: Demo, afterMs: number, tally: Tally): Promise<number> {
  const { hosts } = stage;
  const [victim, survivor] = await hosts.untilReady("dlx");
  if (victim === undefined || survivor === undefined) throw new Error("there are not two DLXs");
  await demo.untilAsleep();
  const [slice] = await demo.slices();
  const port = slice?.ports?.[0]?.port;
  const round = String(tally.rounds);
  const burst = { count: held, overMs: 0, serviceMs: 300 };
  const dying = sendBurst({ origin: `http://${victim.ip}:${String(port)}`, prefix: `dying-${round}-`, ...burst });
  const living = sendBurst({ origin: `http://${survivor.ip}:${String(port)}`, prefix: `living-${round}-`, ...burst });
  await until("both DLXs had their requests", async () => {
    const counts = await Promise.all([victim, survivor].map((pod) => hosts.counts(demo.ref, [pod])));
    return counts.every((each) => each.held + each.inFlight > 0);
  });
  await sleep(afterMs);
  killProcess(victim);
  tally.countRound();
  tally.add(await living);
  const { failures } = await dying;
  await hosts.untilNoticed("dlx", victim);
  await hosts.untilReady("dlx");
  await expectRecovered(demo, tally, `dlx-${round}`);
  return failures.length;
}
