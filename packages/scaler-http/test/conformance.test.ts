import { type TestPlatform, testScaler } from "@dormouse/conformance";
import { describe, it } from "vitest";
import { scaler as plugin } from "../src/index.ts";
import { TestApp } from "./test-app.ts";
import { type TestAnswer, type TestRequest, TestServer } from "@dormouse/core/testing";

// An API with versions, which reports its instances while they stop, too.
testScaler({ describe, it, plugin, open });

async function open(): Promise<TestPlatform> {
  const apps = new Map(["one", "two"].map((name) => [name, new TestApp()]));
  const server = await TestServer.open((request) => answer(apps, request));
  const appOf = (name: string): TestApp => apps.get(name) ?? new TestApp();
  const options = {
    url: `${server.url}/v1/apps/{{name}}`,
    status: { path: "", ready: "$.ready", wakeReplicas: "$.lastReplicas", failure: "$.failure" },
    scale: { path: "/scale", body: { spec: { replicas: "{{replicas}}" } } },
    targets: { addresses: "$.instances[*].address", ids: "$.instances[*].id" },
    minimum: 0,
    compareAndSet: {},
    settleWithin: "100ms",
    retries: { attempts: 2, firstWait: "10ms" },
    timeout: "2s",
  };
  return {
    options: { ...options, resources: [{ name: "one" }, { name: "two" }] },
    optionsWithoutOther: { ...options, resources: [{ name: "one" }] },
    ref: { namespace: "default", name: "one" },
    other: { namespace: "default", name: "two" },
    async close() {
      await server.close();
      for (const app of apps.values()) app.close();
    },
    async changeElsewhere({ name }) {
      appOf(name).revision += 1;
    },
    async breakStart({ name }) {
      appOf(name).isBroken = true;
      return async () => appOf(name).release();
    },
    async holdStart({ name }) {
      appOf(name).isHeld = true;
      return async () => appOf(name).release();
    },
    async remove({ name }) {
      appOf(name).isRemoved = true;
      return async () => void (appOf(name).isRemoved = false);
    },
    async endInstance({ port }) {
      for (const app of apps.values()) app.end(port);
    },
    stallPlatform: async () => server.stall(),
    cutPlatform: () => server.cut(),
  };
}

function answer(apps: ReadonlyMap<string, TestApp>, { method, path, headers, body }: TestRequest): TestAnswer {
  const [, name = "", what] = /^\/v1\/apps\/([^/]+)(\/scale)?$/.exec(path) ?? [];
  const app = apps.get(name);
  if (app === undefined || app.isRemoved) return { status: 404, body: { error: "there is no such app" } };
  if (method === "GET") return { headers: { etag: `"${String(app.revision)}"` }, body: statusOf(app) };
  if (method !== "PUT" || what === undefined) return { status: 405 };
  const wanted = headers["if-match"];
  if (wanted !== undefined && wanted !== `"${String(app.revision)}"`) return { status: 412, body: "changed meanwhile" };
  const { spec } = JSON.parse(body) as { spec: { replicas: number } };
  app.scale(spec.replicas);
  return { status: 204, headers: { etag: `"${String(app.revision)}"` } };
}

function statusOf(app: TestApp): object {
  const instances = [...app.instances.values()].filter(({ port }) => port > 0);
  return {
    replicas: app.replicas,
    lastReplicas: app.lastReplicas,
    ready: instances.filter(({ isReady }) => isReady).length,
    failure: app.failure ?? null,
    instances: instances.map(({ id, port }) => ({ id, address: `127.0.0.1:${String(port)}` })),
  };
}
