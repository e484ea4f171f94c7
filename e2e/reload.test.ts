import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ask } from "./harness/ask.ts";
import type { ScaleEvent } from "./harness/events.ts";
import { freePort, isFree } from "./harness/free-port.ts";
import type { Gates } from "./harness/gates.ts";
import { type HostConfig, staysAwake } from "./harness/host-config.ts";
import { isRunning } from "./harness/processes.ts";
import { service, Stage } from "./harness/stage.ts";
import type { Traffic } from "./harness/traffic.ts";
import { until } from "./harness/until.ts";

let stage: Stage;
let load: { readonly traffic: Traffic; readonly stop: () => void; readonly ended: Promise<unknown> };

const before = (gates: Gates): HostConfig => ({
  resources: [service(gates, "steady", { policy: staysAwake }), service(gates, "removed", { policy: staysAwake })],
});

beforeEach(async () => {
  stage = await Stage.open(before);
  load = keepLoading(stage.client("steady"));
  await until("the load flows", () => load.traffic.of("answered").length > 20);
});

afterEach(async () => {
  load.stop();
  await load.ended;
  await stage[Symbol.asyncDispose]();
});

it("takes in new routes, policies and resources under load, and drops no request", async () => {
  const { host, gates, client } = stage;
  expect(await ask(host.origin, { host: "alias.test" })).toMatchObject({ status: 404 });
  const pids = pidsOf(load.traffic);
  host.configure({
    resources: [
      service(gates, "steady", { policy: { hosts: ["steady.test", "alias.test"], ...staysAwake } }),
      service(gates, "added", { policy: { idleAfter: "50ms", minAwake: 0 } }),
    ],
  });
  await until(
    "the new route led somewhere",
    async () => (await ask(host.origin, { host: "alias.test" })).status === 200,
  );
  expect(await client("added").send()).toMatchObject({ outcome: "answered", cold: true });
  await host.untilState("added", "asleep");
  expect(await ask(host.origin, { host: "removed.test" })).toMatchObject({ status: 404 });
  expect(configEvents().at(-1)).toMatchObject({ outcome: "done" });
  await expectNothingDropped();
  expect(pidsOf(load.traffic)).toEqual(pids);
});

it("lets the requests of a resource that is removed come to their end, and then stops it", async () => {
  const { host, gates, client } = stage;
  const working = client("removed").send({ method: "POST", path: "/?gate=answer", body: "long" });
  await host.untilResource("removed", ({ inFlight }) => inFlight === 1);
  host.configure({ resources: [service(gates, "steady", { policy: staysAwake })] });
  await until("the route was gone", async () => (await ask(host.origin, { host: "removed.test" })).status === 404);
  gates.open("answer");
  expect(await working).toMatchObject({ outcome: "answered" });
  expect(stage.client("removed").discrepancies([gates.ledger("removed")])).toEqual([]);
  await until("its process was gone", () => host.children.length === 1);
  await expectNothingDropped();
});

it("puts a service to sleep by a policy that came later", async () => {
  const { host, gates, client } = stage;
  expect(await client("removed").send()).toMatchObject({ outcome: "answered" });
  host.configure({
    resources: [
      service(gates, "steady", { policy: staysAwake }),
      service(gates, "removed", { policy: { idleAfter: "50ms", minAwake: 0 } }),
    ],
  });
  await host.untilState("removed", "asleep");
  expect(await client("removed").send()).toMatchObject({ outcome: "answered", cold: true });
  await expectNothingDropped();
});

it("opens new listeners before it closes an old one, whose running requests it finishes", async () => {
  const { host, gates, client } = stage;
  load.stop();
  await load.ended;
  const [shared, dedicated] = [await freePort(), await freePort()];
  const working = client("steady").send({ method: "POST", path: "/?gate=answer", body: "long" });
  await host.untilResource("steady", ({ inFlight }) => inFlight === 1);
  host.configure({
    resources: [
      service(gates, "steady", {
        policy: { hosts: ["steady.test"], listen: [`127.0.0.1:${dedicated}`], ...staysAwake },
      }),
    ],
    dlx: { listen: `127.0.0.1:${shared}` },
  });
  for (const port of [shared, dedicated])
    await until(`${port} answered`, async () => {
      const answer = await ask(`http://127.0.0.1:${port}`, { host: "steady.test" }).catch(() => undefined);
      return answer?.status === 200;
    });
  await until("the old listener was closed", async () => isFree(Number(new URL(host.origin).port)));
  gates.open("answer");
  expect(await working).toMatchObject({ outcome: "answered" });
  expect(load.traffic.sent.filter(({ outcome }) => outcome !== "answered")).toEqual([]);
});

it("hands a service over to another scaler under load, and drops no request", async () => {
  const { host, gates } = stage;
  const [before] = pidsOf(load.traffic);
  const stateDir = join(host.folder, "state-of-another");
  const resources = [service(gates, "steady", { policy: staysAwake })];
  host.configure({ resources: [], scalers: [{ use: "process", id: "another", options: { stateDir, resources } }] });
  await until("another process answered", () => pidsOf(load.traffic).some((pid) => pid !== before));
  await until("the process of before was gone", () => !isRunning(Number(before)));
  await expectNothingDropped();
  expect(host.children).toHaveLength(1);
});

it("refuses a bad configuration with place and reason, keeps the old one, and takes the next good one", async () => {
  const { host, gates } = stage;
  const withTypo = service(gates, "steady", { policy: { ...staysAwake, idelAfter: "1s" } });
  const bad: readonly (readonly [string, () => void])[] = [
    ["idelAfter", () => host.configure({ resources: [withTypo] })],
    [
      "steady.test",
      () => host.configure({ resources: ["steady", "twin"].map((name) => ({ ...service(gates, "steady"), name })) }),
    ],
    ["dormouse.yaml", () => host.write("scalers: [ {")],
    ["dormouse.yaml", () => host.write("")],
  ];
  for (const [place, write] of bad) {
    const refused = refusals().length;
    const printed = host.output.length;
    write();
    await until(`the configuration was refused for ${place}`, () => refusals().length > refused);
    expect(JSON.stringify(refusals().at(-1)) + host.output.slice(printed)).toContain(place);
    expect(await ask(host.origin, { host: "removed.test" })).toMatchObject({ status: 200 });
  }
  host.configure({
    resources: [service(gates, "steady", { policy: { hosts: ["steady.test", "alias.test"], ...staysAwake } })],
  });
  await until(
    "the good configuration counted",
    async () => (await ask(host.origin, { host: "alias.test" })).status === 200,
  );
  await expectNothingDropped();
});

/** The load has gone on until now, and every request of it was answered and executed once. */
async function expectNothingDropped(): Promise<void> {
  const { length } = load.traffic.sent;
  await until("the load went on", () => load.traffic.sent.length > length + 20);
  load.stop();
  await load.ended;
  expect(load.traffic.sent.filter(({ outcome }) => outcome !== "answered")).toEqual([]);
  expect(load.traffic.discrepancies([stage.gates.ledger("steady")])).toEqual([]);
}

function configEvents(): readonly ScaleEvent[] {
  return stage.host.events.all.filter(({ kind }) => kind === "config");
}

function refusals(): readonly ScaleEvent[] {
  return configEvents().filter(({ outcome }) => outcome === "refused");
}

function pidsOf(traffic: Traffic): readonly unknown[] {
  return [...new Set(traffic.of("answered").map(({ body }) => body["pid"]))];
}

/** Sends request after request by a few clients, half of them with a body. */
function keepLoading(traffic: Traffic): typeof load {
  let stopped = false;
  const run = async (): Promise<void> => {
    for (let count = 0; !stopped; count += 1)
      await traffic.send(count % 2 === 0 ? {} : { method: "POST", body: "load" });
  };
  return { traffic, stop: () => (stopped = true), ended: Promise.all(Array.from({ length: 4 }, run)) };
}
