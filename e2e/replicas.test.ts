import { afterAll, beforeAll, expect, it } from "vitest";
import { quickSleep, staysAwake } from "./harness/host-config.ts";
import { service, Stage } from "./harness/stage.ts";
import { until } from "./harness/until.ts";

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open((gates) => ({
    resources: [
      service(gates, "shared", { replicas: 3, env: { START_GATE: "shared" }, policy: staysAwake }),
      service(gates, "paced", {
        replicas: 3,
        env: { START_GATE: "paced" },
        policy: { ...staysAwake, releaseConcurrency: 4 },
      }),
      service(gates, "bounded", { replicas: 2, policy: { ...staysAwake, maxConcurrency: 3 } }),
      service(gates, "again", { replicas: 2, policy: quickSleep }),
      service(gates, "probed", {
        env: { READY_GATE: "ready" },
        policy: { ...staysAwake, readiness: { path: "/ready" } },
      }),
    ],
  }));
});

afterAll(async () => stage[Symbol.asyncDispose]());

it("shares the load between all replicas of a service", async () => {
  const { host, gates, client } = stage;
  const crowd = client("shared");
  gates.open("shared");
  await crowd.send();
  await host.untilResource("shared", ({ desired, ready }) => desired === 3 && ready === 3);
  await untilTargets("shared", 3);
  const all = crowd.burst(90, { path: "/?gate=shared-answer" });
  await host.untilResource("shared", ({ inFlight }) => inFlight === 90);
  gates.open("shared-answer");
  const perReplica = Map.groupBy(await all, ({ body }) => body["pid"]);
  expect([...perReplica.values()].map(({ length }) => length)).toEqual([30, 30, 30]);
  expect(crowd.count()).toEqual({ answered: 91, refused: 0, lost: 0 });
});

it("releases no more than releaseConcurrency times the ready replicas at once", async () => {
  const { host, gates, client } = stage;
  const crowd = client("paced");
  const all = crowd.burst(60, { path: "/?gate=answer" });
  await host.untilResource("paced", ({ held }) => held === 60);
  gates.open("paced");
  const view = await host.untilResource("paced", ({ inFlight }) => inFlight === 12);
  expect(view.held).toBe(48);
  gates.open("answer");
  await all;
  expect(crowd.count()).toEqual({ answered: 60, refused: 0, lost: 0 });
});

it("never has more requests in flight per replica than maxConcurrency, and answers all", async () => {
  const { host, gates, client } = stage;
  const crowd = client("bounded");
  await crowd.send();
  await untilTargets("bounded", 2);
  const all = crowd.burst(20, { path: "/?gate=bounded-answer" });
  // It is awake, and they wait all the same.
  await host.untilResource(
    "bounded",
    ({ state, inFlight, held }) => state === "awake" && inFlight === 6 && held === 14,
  );
  gates.open("bounded-answer");
  await all;
  expect(crowd.count()).toEqual({ answered: 21, refused: 0, lost: 0 });
});

it("brings back as many replicas as slept", async () => {
  const { host, client } = stage;
  const crowd = client("again");
  for (let round = 1; round <= 2; round += 1) {
    expect(await crowd.send()).toMatchObject({ outcome: "answered", cold: true });
    await until("it slept again", () => host.events.sleeps("again").length >= round);
    const wakes = host.events.wakes("again");
    expect(wakes).toHaveLength(round);
    expect(wakes.at(-1)).toMatchObject({ to: 2 });
  }
});

it("holds until the readiness path says that the service is ready, though it listens before", async () => {
  const { host, gates, client } = stage;
  const crowd = client("probed");
  const answer = crowd.send();
  await host.untilResource("probed", ({ ready, held }) => ready === 1 && held === 1);
  expect(await host.resource("probed")).toMatchObject({ state: "waking", held: 1 });
  gates.open("ready");
  expect(await answer).toMatchObject({ outcome: "answered", cold: true });
  expect(crowd.discrepancies([gates.ledger("probed")])).toEqual([]);
});

/** The DLX has dialled so many replicas. */
async function untilTargets(name: string, count: number): Promise<void> {
  const { host } = stage;
  await until(`${name} had ${count} targets`, async () => {
    const { traffic } = (await host.why(name)) as { readonly traffic: { readonly targets: number } };
    return traffic.targets === count;
  });
}
