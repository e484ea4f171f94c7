import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { service, withStage } from "./harness/stage.ts";
import type { Traffic } from "./harness/traffic.ts";

const cycles = 200;
/** A quiet machine with two cores needs an eighth of it. */
const limitMs = 400_000;

/** Each client waits between two requests for up to this long: longer than the service stays awake, so that it can sleep. */
const longestPauseMs = 400;
const clients = 3;

it(
  `loses, doubles and refuses nothing over ${cycles} sleeps and wakes under a steady stream`,
  { timeout: limitMs + 20_000 },
  async () => {
    await withStage(
      (gates) => ({
        resources: [service(gates, "echo", { policy: { idleAfter: "20ms", minAwake: 0 } })],
        autoscaler: { every: "10ms" },
      }),
      async ({ host, gates, client }) => {
        const stream = client("echo");
        const deadline = performance.now() + limitMs;
        const isOver = (): boolean => host.events.sleeps("echo").length >= cycles || performance.now() > deadline;
        await Promise.all(Array.from({ length: clients }, async (_, index) => keepSending(stream, index, isOver)));

        expect(host.events.sleeps("echo").length).toBeGreaterThanOrEqual(cycles);
        expect(host.events.wakes("echo").length).toBeGreaterThanOrEqual(cycles);
        expect(stream.sent.filter(({ outcome }) => outcome !== "answered")).toEqual([]);
        expect(stream.sent.filter(({ cold }) => cold).length).toBeGreaterThanOrEqual(cycles);
        expect(stream.discrepancies([gates.ledger("echo")])).toEqual([]);
      },
    );
  },
);

/** Half of the requests have a body and may never be executed again. The pauses are spread evenly, so that requests meet every moment of a sleep. */
async function keepSending(stream: Traffic, client: number, isOver: () => boolean): Promise<void> {
  for (let count = 1; !isOver(); count += 1) {
    await stream.send(count % 2 === 0 ? {} : { method: "POST", body: `body ${count}` });
    await sleep((((count + client / clients) * 0.618_034) % 1) * longestPauseMs);
  }
}
