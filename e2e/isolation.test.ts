import { expect, it } from "vitest";
import { staysAwake } from "./harness/host-config.ts";
import { service, withStage } from "./harness/stage.ts";
import type { Traffic } from "./harness/traffic.ts";
import { until } from "./harness/until.ts";

/** Clients that flood one service without a pause. */
const floodClients = 100;

/** What a wake by requests may take longer than one by an operator, both under the flood on a machine with two cores. */
const bound = { factor: 4, plusMs: 1_000 };

it("wakes two services in a time that depends on their own start while a third one is flooded", async () => {
  await withStage(
    (gates) => ({
      resources: [
        ...["asked-1", "asked-2", "one", "two"].map((name) => service(gates, name, { policy: staysAwake })),
        service(gates, "flooded", { env: { START_GATE: "never" }, policy: { ...staysAwake, maxHeld: 500 } }),
      ],
    }),
    async ({ host, gates, client }) => {
      const flood = client("flooded");
      const held = flood.burst(500);
      await host.untilResource("flooded", (view) => view.held === 500);
      const flooding = keepFlooding(flood);
      await until("the flood is refused", () => flood.of("refused").length > 500);

      const begin = performance.now();
      for (const { status } of await Promise.all(["asked-1", "asked-2"].map((name) => host.ask(name, "wake"))))
        expect(status).toBe(200);
      const ownMs = performance.now() - begin;

      const refusedBefore = flood.of("refused").length;
      const [one, two] = [client("one"), client("two")];
      const answers = await Promise.all([one.burst(10), two.burst(10, { method: "POST", body: "in the flood" })]);
      const slowestMs = Math.max(...answers.flat().map(({ tookMs }) => tookMs));
      const refusedAfter = flood.of("refused").length;
      flooding.stop();
      await flooding.ended;

      expect(refusedAfter).toBeGreaterThan(refusedBefore);
      for (const crowd of [one, two]) expect(crowd.count()).toEqual({ answered: 10, refused: 0, lost: 0 });
      expect(slowestMs).toBeLessThan(ownMs * bound.factor + bound.plusMs);
      expect(flood.of("lost")).toEqual([]);
      expect(flood.of("refused").every(({ code }) => code === "DLX_HOLD_FULL")).toBe(true);
      gates.open("never");
      await held;
      expect(flood.of("lost")).toEqual([]);
      expect(flood.discrepancies([gates.ledger("flooded")])).toEqual([]);
    },
  );
});

it("answers an awake service while another one's waiting room is full", async () => {
  await withStage(
    (gates) => ({
      resources: [
        service(gates, "awake", { policy: staysAwake }),
        service(gates, "full", { env: { START_GATE: "start" }, policy: { ...staysAwake, maxHeld: 100 } }),
      ],
    }),
    async ({ host, gates, client }) => {
      const awake = client("awake");
      await awake.send();
      const full = client("full");
      const held = full.burst(100);
      await host.untilResource("full", (view) => view.held === 100);
      await awake.burst(200);
      expect(await full.send()).toMatchObject({ code: "DLX_HOLD_FULL" });
      expect(awake.count()).toEqual({ answered: 201, refused: 0, lost: 0 });
      gates.open("start");
      await held;
      expect(full.count()).toEqual({ answered: 100, refused: 1, lost: 0 });
    },
  );
});

it("refuses with a time to come back what is beyond the bounds of the whole process, and answers all that it held", async () => {
  await withStage(
    (gates) => ({
      resources: ["one", "two"].map((name) =>
        service(gates, name, { env: { START_GATE: "start" }, policy: staysAwake }),
      ),
      dlx: { maxHeld: 30 },
    }),
    async ({ host, gates, client }) => {
      const [one, two] = [client("one"), client("two")];
      const held = [one.burst(20), two.burst(10)];
      await host.untilResource("one", (view) => view.held === 20);
      await host.untilResource("two", (view) => view.held === 10);
      for (const refused of [await one.send(), await two.send()]) {
        expect(refused).toMatchObject({ outcome: "refused", status: 503, code: "DLX_OVERLOADED" });
        expect(Number(refused.retryAfter)).toBeGreaterThan(0);
      }
      gates.open("start");
      await Promise.all(held);
      expect([one.count().answered, two.count().answered]).toEqual([20, 10]);
    },
  );
});

/** Sends request after request by many clients at once. */
function keepFlooding(flood: Traffic): { readonly stop: () => void; readonly ended: Promise<unknown> } {
  let stopped = false;
  const run = async (): Promise<void> => {
    while (!stopped) await flood.send();
  };
  return { stop: () => (stopped = true), ended: Promise.all(Array.from({ length: floodClients }, run)) };
}
