import { expect, it } from "vitest";
import { staysAwake } from "./harness/host-config.ts";
import { service, withStage } from "./harness/stage.ts";
import { until } from "./harness/until.ts";

const crowdSize = 2_000;

it("answers each of 2,000 requests that came while the service slept, where the waiting room has room for them", async () => {
  await withStage(
    (gates) => ({
      resources: [service(gates, "echo", { env: { START_GATE: "start" }, policy: { maxHeld: 5_000, ...staysAwake } })],
    }),
    async ({ host, gates, client }) => {
      const crowd = client("echo");
      const all = crowd.burst(crowdSize);
      await host.untilResource("echo", ({ held }) => held === crowdSize);
      gates.open("start");
      await all;
      expect(crowd.count()).toEqual({ answered: crowdSize, refused: 0, lost: 0 });
      expect(crowd.discrepancies([gates.ledger("echo")])).toEqual([]);
      expect(crowd.sent.every(({ cold }) => cold)).toBe(true);
      await until("the wake was recorded", () => host.events.wakes("echo").length > 0);
      expect(host.events.wakes("echo")).toHaveLength(1);
    },
  );
});

it("refuses just those beyond the default of 1,000, at once and with a time to come back", async () => {
  await withStage(
    (gates) => ({ resources: [service(gates, "echo", { env: { START_GATE: "start" }, policy: staysAwake })] }),
    async ({ host, gates, client }) => {
      const crowd = client("echo");
      const all = crowd.burst(crowdSize);
      // The service has not even started to listen: whoever has an answer by now was refused.
      await until(
        () => `1,000 were refused, but ${crowd.sent.length}`,
        () => crowd.sent.length >= crowdSize - 1_000,
      );
      expect(await host.resource("echo")).toMatchObject({ state: "waking", held: 1_000 });
      const refused = crowd.of("refused");
      expect(refused).toHaveLength(crowdSize - 1_000);
      for (const one of refused) {
        expect(one).toMatchObject({ status: 503, code: "DLX_HOLD_FULL", body: { resource: "local/default/echo" } });
        expect(Number(one.retryAfter)).toBeGreaterThan(0);
      }
      gates.open("start");
      await all;
      expect(crowd.count()).toEqual({ answered: 1_000, refused: 1_000, lost: 0 });
      expect(crowd.discrepancies([gates.ledger("echo")])).toEqual([]);
    },
  );
});
