import { expect, it } from "vitest";
import { staysAwake } from "./harness/host-config.ts";
import { service, withStage } from "./harness/stage.ts";
import { until } from "./harness/until.ts";
import { WebSocketClient } from "./harness/web-socket-client.ts";

it("frees the slot of a client that leaves at once, for the next one to be held", async () => {
  await withStage(
    (gates) => ({
      resources: [service(gates, "echo", { env: { START_GATE: "start" }, policy: { ...staysAwake, maxHeld: 1 } })],
    }),
    async ({ host, gates, client }) => {
      const crowd = client("echo");
      const leaving = new AbortController();
      const first = crowd.send({ signal: leaving.signal });
      await host.untilResource("echo", ({ held }) => held === 1);
      expect(await crowd.send()).toMatchObject({ outcome: "refused", code: "DLX_HOLD_FULL" });

      leaving.abort();
      await host.untilResource("echo", ({ held }) => held === 0);
      const next = crowd.send();
      await host.untilResource("echo", ({ held }) => held === 1);
      gates.open("start");
      expect(await next).toMatchObject({ outcome: "answered", cold: true });
      await first;
      expect(crowd.discrepancies([gates.ledger("echo")])).toEqual([]);
      expect(crowd.of("lost")).toHaveLength(1); // the one that left, by its own choice
    },
  );
});

it("frees the slot of a WebSocket whose client leaves before it opened", async () => {
  await withStage(
    (gates) => ({
      resources: [
        service(gates, "streams", {
          program: "streams",
          env: { START_GATE: "start" },
          policy: { ...staysAwake, maxHeld: 1 },
        }),
      ],
    }),
    async ({ host, gates }) => {
      const first = new WebSocketClient(host.origin, "streams.test");
      await host.untilResource("streams", ({ held }) => held === 1);
      await first[Symbol.asyncDispose]();
      await host.untilResource("streams", ({ held }) => held === 0);
      const second = new WebSocketClient(host.origin, "streams.test");
      try {
        await host.untilResource("streams", ({ held }) => held === 1);
        gates.open("start");
        await second.opened();
        expect(await second.echo("in its place")).toBe("in its place");
      } finally {
        await second[Symbol.asyncDispose]();
      }
      await host.untilResource("streams", ({ inFlight }) => inFlight === 0);
    },
  );
});

it("runs a wake to its end when all clients have left, and executes none of their requests", async () => {
  await withStage(
    (gates) => ({ resources: [service(gates, "echo", { env: { START_GATE: "start" }, policy: staysAwake })] }),
    async ({ host, gates, client }) => {
      const crowd = client("echo");
      const leaving = new AbortController();
      const all = [
        crowd.burst(10, { signal: leaving.signal }),
        crowd.burst(10, { method: "POST", body: "small", signal: leaving.signal }),
      ];
      await host.untilResource("echo", ({ held }) => held === 20);
      leaving.abort();
      await Promise.all(all);
      await host.untilResource("echo", ({ held, state }) => held === 0 && state === "waking");

      gates.open("start");
      await host.untilState("echo", "awake");
      await until("the wake was recorded", () => host.events.wakes("echo").length === 1);
      expect(await crowd.send()).toMatchObject({ outcome: "answered", cold: false });
      expect(crowd.discrepancies([gates.ledger("echo")])).toEqual([]);
      expect(crowd.count()).toEqual({ answered: 1, refused: 0, lost: 20 });
    },
  );
});
