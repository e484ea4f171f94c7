import type { BurstResult } from "../caller/send-burst.ts";
import type { Tally } from "../tally.ts";
import type { Demo } from "./demo.ts";

/**
 * After a fault: who asks is answered, wherever he asks from, and once nobody asks it sleeps, with its traffic led to the
 * DLXs. So nothing is asleep with traffic, and nothing awake for ever. Rejects where it does not sleep.
 *
 * @param withinMs how long it may take to fall asleep; as long as any change of state unless given
 */
export async function expectRecovered(demo: Demo, tally: Tally, name: string, withinMs?: number): Promise<void> {
  const results = await Promise.all([
    demo.fromHost({ prefix: `${name}-host-`, count: 3, overMs: 100 }),
    demo.fromPod({ prefix: `${name}-pod-`, count: 3, overMs: 100 }),
  ]);
  for (const result of results) tally.add(result);
  await demo.untilAsleep(withinMs);
  await demo.untilTrafficGoesTo("dlx");
  tally.add(await wakeAgain(demo, name));
}

function wakeAgain(demo: Demo, name: string): Promise<BurstResult> {
  return demo.fromPod({ prefix: `${name}-again-`, count: 2, overMs: 0 });
}
