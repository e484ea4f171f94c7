import { expect, it } from "vitest";
import { ask } from "./harness/ask.ts";
import { staysAwake } from "./harness/host-config.ts";
import { isRunning } from "./harness/processes.ts";
import { RawConnection } from "./harness/raw-connection.ts";
import { service, type Stage, withStage } from "./harness/stage.ts";
import { until } from "./harness/until.ts";
import { WebSocketClient } from "./harness/web-socket-client.ts";

it("finishes held and running requests after SIGTERM, says that it is not ready, and leaves with 0 and no child", async () => {
  await withStage(
    (gates) => ({
      resources: [
        service(gates, "asleep", { env: { START_GATE: "start" }, policy: staysAwake }),
        service(gates, "awake", { policy: staysAwake }),
      ],
    }),
    async ({ host, gates, client }) => {
      const held = client("asleep");
      const running = client("awake");
      const answers = [
        held.burst(20, { method: "POST", body: "held" }),
        running.burst(20, { path: "/?gate=answer", method: "POST", body: "running" }),
      ];
      await host.untilResource("asleep", (view) => view.held === 20);
      await host.untilResource("awake", (view) => view.inFlight === 20);

      host.signal("SIGTERM");
      await untilNotReady(host.admin);
      await until("new connections were refused", async () => isRefused(host.origin));
      expect(await host.resource("asleep")).toMatchObject({ held: 20 });
      gates.open("start");
      gates.open("answer");
      await Promise.all(answers);
      for (const crowd of [held, running]) expect(crowd.count()).toEqual({ answered: 20, refused: 0, lost: 0 });
      expect(held.discrepancies([gates.ledger("asleep")])).toEqual([]);
      expect(running.discrepancies([gates.ledger("awake")])).toEqual([]);
      expect(await host.ended()).toBe(0);
      await host.expectNothingLeft();
    },
  );
});

it("ends at its drain limit where a request and a WebSocket never end", async () => {
  await withStage(
    (gates) => ({
      resources: [
        service(gates, "echo", { policy: staysAwake }),
        service(gates, "streams", { program: "streams", policy: staysAwake }),
      ],
      dlx: { drainTimeout: "400ms" },
    }),
    async ({ host, client }) => {
      const endless = client("echo").send({ path: "/?gate=never" });
      const socket = new WebSocketClient(host.origin, "streams.test");
      await socket.opened();
      await host.untilResource("echo", ({ inFlight }) => inFlight === 1);
      host.signal("SIGTERM");
      expect(await host.ended()).toBe(0);
      expect(await endless).not.toMatchObject({ outcome: "answered" });
      await socket.closed();
      await host.expectNothingLeft();
    },
  );
});

it("ends the children of a host that was killed when it starts the next time, and wakes them afresh", async () => {
  await withStage(
    (gates) => ({
      resources: ["one", "two"].map((name) => service(gates, name, { policy: staysAwake })),
    }),
    async ({ host, client }) => {
      const before = [await client("one").send(), await client("two").send()];
      const orphans = before.map(({ body }) => Number(body["pid"]));
      host.signal("SIGKILL");
      expect(await host.ended()).toBeUndefined();
      expect(orphans.every(isRunning)).toBe(true);

      await host.restart();
      await until("the orphans were ended", () => !orphans.some(isRunning));
      for (const name of ["one", "two"]) {
        const after = await client(name).send();
        expect(after).toMatchObject({ outcome: "answered", cold: true });
        expect(orphans).not.toContain(after.body["pid"]);
      }
    },
  );
});

it("stops with requests on kept-alive connections without waiting for their clients to close them", async () => {
  await withStage(
    (gates) => ({ resources: [service(gates, "echo", { policy: staysAwake })] }),
    async ({ host }: Stage) => {
      const idle = await RawConnection.open(host.origin);
      const unused = await RawConnection.open(host.origin);
      try {
        await idle.send("GET / HTTP/1.1\r\nHost: echo.test\r\n\r\n");
        await idle.receive(/HTTP\/1\.1 200 /);
        host.signal("SIGTERM");
        expect(await host.ended()).toBe(0);
        await idle.untilClosed();
        await unused.untilClosed();
      } finally {
        await idle[Symbol.asyncDispose]();
        await unused[Symbol.asyncDispose]();
      }
    },
  );
});

it("answers requests that were sent one behind the other on one connection, each of them", async () => {
  await withStage(
    (gates) => ({ resources: [service(gates, "echo", { policy: staysAwake })] }),
    async ({ host, gates }) => {
      const connection = await RawConnection.open(host.origin);
      try {
        const post = (path: string): string =>
          `POST ${path}?gate=answer HTTP/1.1\r\nHost: echo.test\r\nContent-Length: 3\r\n\r\nabc`;
        await connection.send(post("/1") + post("/2") + post("/3"));
        await host.untilResource("echo", ({ inFlight }) => inFlight === 3);
        host.signal("SIGTERM");
        await untilNotReady(host.admin);
        gates.open("answer");
        const text = await connection.untilClosed();
        expect([...text.matchAll(/"path":"\/(\d)/g)].map(([, path]) => path)).toEqual(["1", "2", "3"]);
        expect(await host.ended()).toBe(0);
      } finally {
        await connection[Symbol.asyncDispose]();
      }
    },
  );
});

it("finishes the requests of a resource that a reload has just removed", async () => {
  await withStage(
    (gates) => ({ resources: ["kept", "removed"].map((name) => service(gates, name, { policy: staysAwake })) }),
    async ({ host, gates, client }) => {
      const working = client("removed").send({ method: "POST", path: "/?gate=answer", body: "long" });
      await host.untilResource("removed", ({ inFlight }) => inFlight === 1);
      host.configure({ resources: [service(gates, "kept", { policy: staysAwake })] });
      await until("the route was gone", async () => (await ask(host.origin, { host: "removed.test" })).status === 404);
      host.signal("SIGTERM");
      await untilNotReady(host.admin);
      await until("new connections were refused", async () => isRefused(host.origin));
      gates.open("answer");
      expect(await working).toMatchObject({ outcome: "answered" });
      expect(await host.ended()).toBe(0);
      await host.expectNothingLeft();
    },
  );
});

it("ends at once, and with its children, when it is told to stop twice", async () => {
  await withStage(
    (gates) => ({ resources: [service(gates, "echo", { policy: staysAwake })], dlx: { drainTimeout: "5m" } }),
    async ({ host, client }) => {
      const endless = client("echo").send({ path: "/?gate=never" });
      await host.untilResource("echo", ({ inFlight }) => inFlight === 1);
      host.signal("SIGTERM");
      await untilNotReady(host.admin);
      host.signal("SIGTERM");
      expect(await host.ended()).not.toBe(0);
      expect(await endless).not.toMatchObject({ outcome: "answered" });
      // Its children were killed, but nobody could wait for their end.
      await until("its children had ended", () => host.children.length === 0);
      await host.expectNothingLeft();
    },
  );
});

async function untilNotReady(admin: string): Promise<void> {
  await until("the host said that it is not ready", async () => (await fetch(`${admin}/readyz`)).status === 503);
}

async function isRefused(origin: string): Promise<boolean> {
  return ask(origin, { host: "awake.test" }).then(
    () => false,
    () => true,
  );
}
