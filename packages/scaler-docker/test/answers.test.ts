import { defaultPolicy, openScaler, silentLogger, systemClock, type GuardedScaler } from "@dormouse/core";
import { expect, it, onTestFinished } from "vitest";
import { scaler as plugin } from "../src/index.ts";
import { type FakeAnswer, inspected, listed, openFakeEngine } from "./fake-engine.ts";

async function openOn(answers: Readonly<Record<string, FakeAnswer>>): Promise<GuardedScaler> {
  return openScalerAt(await openFakeEngine((method, path) => answers[`${method} ${path}`]));
}

async function openScalerAt(endpoint: string): Promise<GuardedScaler> {
  const context = { id: "docker", logger: silentLogger, clock: systemClock, defaults: defaultPolicy };
  const scaler = await openScaler(plugin, { endpoint }, context);
  onTestFinished(() => scaler[Symbol.asyncDispose]());
  return scaler;
}

const refOf = (name: string): { namespace: string; name: string } => ({ namespace: "default", name });

it("reads answers with fields that it does not know, and without those that may be missing", async () => {
  const scaler = await openOn({
    "GET /containers/json": { body: [listed("web", { Novelty: { Deep: [1] } }), { Id: "other", Labels: null }] },
    "GET /containers/id-web/json": {
      body: inspected("web", { Novelty: true, HostConfig: { NetworkMode: "bridge", New: 1 } }),
    },
  });
  expect(await scaler.listResources()).toMatchObject([{ ref: refOf("web"), desired: 1, ready: 1 }]);
  expect(await scaler.resolveTargets(refOf("web"), undefined)).toMatchObject([{ host: "192.0.2.9", port: 8080 }]);
});

it("refuses only the container whose answer lacks what must be there, and names it", async () => {
  const scaler = await openOn({
    "GET /containers/json": { body: [listed("web"), listed("broken")] },
    "GET /containers/id-web/json": { body: inspected("web") },
    "GET /containers/id-broken/json": { body: inspected("broken", { State: { Running: true } }) },
  });
  const [web, broken] = await scaler.listResources();
  expect(web?.refusal).toBeUndefined();
  expect(broken?.refusal).toMatchObject({ code: "SCALER_INTERNAL" });
  expect(broken?.refusal?.message).toMatch(/answer about container broken cannot be used: .*State\.Status/);
  expect(broken?.policy.enabled).toBe(false);
});

it("refuses only the container that the engine itself cannot read", async () => {
  const scaler = await openOn({
    "GET /containers/json": { body: [listed("web"), listed("broken")] },
    "GET /containers/id-web/json": { body: inspected("web") },
    "GET /containers/id-broken/json": { status: 500, body: { message: "layer does not exist" } },
  });
  const [web, broken] = await scaler.listResources();
  expect(web?.refusal).toBeUndefined();
  expect(broken?.refusal?.message).toMatch(/layer does not exist/);
});

it("forgets a container that is removed between the list and the look at it", async () => {
  const scaler = await openOn({
    "GET /containers/json": { body: [listed("web"), listed("gone")] },
    "GET /containers/id-web/json": { body: inspected("web") },
    "GET /containers/id-gone/json": { status: 404, body: { message: "No such container: id-gone" } },
  });
  expect((await scaler.listResources()).map(({ ref }) => ref)).toEqual([refOf("web")]);
  expect(await scaler.getResource(refOf("gone"))).toBeUndefined();
});

it.each([
  [{ body: "not { json" }, "SCALER_INTERNAL", /it is no list/],
  [{ body: { message: "hello" } }, "SCALER_INTERNAL", /it is no list/],
  [{ status: 403, body: { message: "authorization denied by plugin" } }, "SCALER_FORBIDDEN", /denied by plugin/],
  [{ status: 429, body: { message: "slow down" } }, "SCALER_RATE_LIMITED", /slow down/],
  [{ status: 503, body: { message: "starting" } }, "SCALER_UNAVAILABLE", /starting/],
])("rejects a list that answers %j as %s", async (answer, code, message) => {
  const scaler = await openOn({ "GET /containers/json": answer });
  await expect(scaler.listResources()).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
  });
});

it("shows why a start failed as a failure of that resource, with the code that fits", async () => {
  const down = { Status: "exited", StartedAt: "2026-01-02T00:00:00Z", FinishedAt: "2026-01-02T00:00:01Z" };
  const scaler = await openOn({
    "GET /containers/json": { body: [listed("web")] },
    "GET /containers/id-web/json": { body: inspected("web", { State: down }) },
    "POST /containers/id-web/start": { status: 500, body: { message: "mkdir /var/lib/x: no space left on device" } },
  });
  await scaler.setScale(refOf("web"), 1);
  await expect
    .poll(async () => (await scaler.getResource(refOf("web")))?.failure)
    .toMatchObject({ code: "SCALER_UNSCHEDULABLE", message: expect.stringMatching(/no space left/) as string });
  expect(await scaler.getResource(refOf("web"))).toMatchObject({ desired: 1, ready: 0 });
});

it("tells a missing image when a replica is to be made", async () => {
  const scaler = await openOn({
    "GET /containers/json": { body: [listed("web")] },
    "GET /containers/id-web/json": { body: inspected("web", { State: { Status: "exited" } }) },
    "POST /containers/id-web/start": { status: 404, body: { message: "No such image: web:1" } },
    "GET /images/web:1/json": { status: 404, body: { message: "No such image: web:1" } },
    "POST /containers/create": { status: 404, body: { message: "No such image: sha256:1" } },
  });
  await scaler.setScale(refOf("web"), 2);
  await expect
    .poll(async () => (await scaler.getResource(refOf("web")))?.failure)
    .toMatchObject({ code: "SCALER_IMAGE_PULL" });
});

it("goes on with the others while the engine says nothing of one container", async () => {
  let isStuck = false;
  const endpoint = await openFakeEngine((_method, path) => {
    if (path === "/containers/json") return { body: [listed("web"), listed("stuck")] };
    if (path === "/containers/id-stuck/json" && isStuck) return "never";
    return { body: inspected(path.includes("id-web") ? "web" : "stuck") };
  });
  const scaler = await openScalerAt(endpoint);
  const before = await scaler.listResources();
  isStuck = true;
  expect(await scaler.listResources()).toEqual(before);
  expect(await scaler.getResource(refOf("web"))).toMatchObject({ ready: 1 });
  // A host that begins now cannot know what it is.
  const [web, stuck] = await (await openScalerAt(endpoint)).listResources();
  expect(web?.refusal).toBeUndefined();
  expect(stuck?.refusal).toMatchObject({ code: "SCALER_TIMEOUT" });
});
