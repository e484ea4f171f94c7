import type { PodObject } from "../../kubernetes/test-api.ts";
import type { Proof, Scene } from "../proof.ts";
import type { Demo } from "../stage/demo.ts";
import { type AdapterMode, idleRules } from "../stage/metrics-adapter.ts";
import { Tally } from "../tally.ts";
import { whyNoAdapter } from "./direct.ts";

const lastsMs = { whole: 16_000, quick: 8_000 };

const sources: readonly AdapterMode[] = ["right", "failing", "slow"];

const variants: readonly Variant[] = ["auto", "direct"].flatMap((routing) =>
  sources.map((source) => ({ routing, source })),
);

/** Every 200 ms a request goes straight to the Pods; the DLXs see nothing for much longer than `idle-after`. */
export const busyDirect: Proof = {
  name: "busy-direct",
  title: "direct: never asleep while in use past the DLX, its metrics source right or down",
  whyNot: whyNoAdapter,
  plans: variants.map(({ routing }) => ({
    policy: { "idle-after": "1s", routing, "idle-rules": idleRules },
    isMeasured: true,
  })),
  run: async (scene) => {
    await Promise.all(
      scene.demos.map(async (demo, index) => {
        const variant = variants[index];
        if (variant !== undefined) await stayInUse(scene, demo, variant);
      }),
    );
  },
};

interface Variant {
  readonly routing: string;
  readonly source: AdapterMode;
}

async function stayInUse({ stage, tally, isQuick }: Scene, demo: Demo, { routing, source }: Variant): Promise<void> {
  stage.adapter?.setMode(demo.name, source);
  const overMs = (isQuick ? lastsMs.quick : lastsMs.whole) / 2;
  const load = { count: overMs / 200, overMs, serviceMs: 20 };
  const own = new Tally();
  // Before anybody used it, it may have slept.
  own.add(await demo.fromHost({ prefix: `wake-${demo.name}-`, count: 1, overMs: 0 }));
  const before = await demo.pods();
  own.add(await demo.fromHost({ prefix: `first-${demo.name}-`, ...load }));
  own.add(await demo.fromPod({ prefix: `then-${demo.name}-`, ...load }));
  const { replicas } = (await demo.deployment()).spec;
  own.claim(
    replicas === 1,
    `routing ${routing}, source ${source}: it slept in use: ${await stage.hosts.why(demo.ref)}`,
  );
  own.claim(
    namesOf(await demo.pods()) === namesOf(before),
    `routing ${routing}, source ${source}: its Pod was replaced`,
  );
  own.compare(await demo.ledger());
  own.countRound();
  tally.merge(own);
}

function namesOf(pods: readonly PodObject[]): string {
  return pods.map(({ metadata }) => metadata.name).join();
}
