import { type MetricsSource, openPort, type ResourceRef, silentLogger, systemClock } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answer, FakeApiServer, fail } from "../../test/fake-api-server.ts";
import { FakeCollection } from "../../test/fake-collection.ts";
import { RecordingLogger } from "../../test/recording-logger.ts";
import { CustomMetricsApi } from "./custom-metrics-api.ts";
import { CustomMetricsSource } from "./custom-metrics-source.ts";
import { metricsSource } from "./metrics-source.ts";
import { metricsSourceOptionsSchema } from "./metrics-source-options.ts";

const root = "/apis/custom.metrics.k8s.io";
const start = 1_700_000_000_000;
const windowMs = 60_000;

let server: FakeApiServer;
let clock: FakeClock;
let logger: RecordingLogger;
let source: MetricsSource;

beforeEach(async () => {
  server = await FakeApiServer.open();
  clock = new FakeClock(start);
  logger = new RecordingLogger();
  serve("v1beta2", "v1beta1");
  source = await open();
});

afterEach(async () => {
  await source[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function serve(...versions: readonly string[]): void {
  server.on(root, answer({ kind: "APIGroup", versions: versions.map((version) => ({ version })) }));
}

async function open(options: object = {}): Promise<MetricsSource> {
  const cluster = await server.openCluster({ clock: systemClock });
  return new CustomMetricsSource({
    api: new CustomMetricsApi(cluster),
    options: metricsSourceOptionsSchema.parse(options),
    serviceOf: ({ name }) => (name === "bare" ? undefined : `${name}-service`),
    clock,
    logger,
    close: async () => {},
  });
}

const ref = (name: string, namespace = "shop"): ResourceRef => ({ scaler: "k8s-deployment", namespace, name });

const read = (...resources: readonly ResourceRef[]) =>
  source.read({ metric: "requests", windowMs, resources: resources.length === 0 ? [ref("web")] : resources });

interface Item {
  readonly name?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly value?: unknown;
  readonly agoMs?: number;
  readonly more?: object;
}

/** Answers of v1beta2 for the Deployments of the namespace shop; each value covers the rule's window unless `more` says else. */
function give(...items: readonly Item[]): void {
  server.on(deployments, answer({ kind: "MetricValueList", items: items.map(toItem) }));
}

const deployments = `${root}/v1beta2/namespaces/shop/deployments.apps/*/requests`;

function toItem({ name = "web", kind = "Deployment", namespace = "shop", value = "0", agoMs = 0, more }: Item): object {
  return {
    describedObject: { kind, namespace, name },
    timestamp: new Date(clock.now() - agoMs).toISOString(),
    windowSeconds: 60,
    value,
    ...more,
  };
}

describe("the custom metrics source", () => {
  it("gives the value of each workload with its age, by one query for each kind and namespace", async () => {
    give({ value: "1500m", agoMs: 4_000 }, { name: "api", value: "2Ki" }, { name: "foreign", value: "9" });
    const statefulSets = `${root}/v1beta2/namespaces/shop/statefulsets.apps/*/requests`;
    server.on(statefulSets, answer({ items: [toItem({ name: "db", kind: "StatefulSet", value: "7" })] }));
    const back = `${root}/v1beta2/namespaces/back/deployments.apps/*/requests`;
    server.on(back, answer({ items: [toItem({ namespace: "back", value: "3" })] }));
    const all = [ref("web"), ref("api"), ref("silent"), ref("statefulset:db"), ref("web", "back")];
    expect(await read(...all)).toEqual([
      { ref: ref("web"), value: 1.5, ageMs: 4_000 },
      { ref: ref("api"), value: 2_048, ageMs: 0 },
      { ref: ref("statefulset:db"), value: 7, ageMs: 0 },
      { ref: ref("web", "back"), value: 3, ageMs: 0 },
    ]);
    expect(server.requests.filter(({ path }) => path.endsWith("/requests"))).toHaveLength(3);
    await read(...all);
    expect(server.requestsTo(root)).toHaveLength(1);
  });

  it("speaks v1beta1 where there is nothing newer", async () => {
    serve("v1beta1");
    const item = { ...toItem({ value: "5" }), windowSeconds: undefined, window: 60, metricName: "requests" };
    server.on(deployments.replace("v1beta2", "v1beta1"), answer({ items: [item] }));
    expect(await read()).toMatchObject([{ value: 5 }]);
  });

  it("asks for what the options name, and by their conditions", async () => {
    const metrics = { requests: { metric: "http_requests/s", selector: "verb=GET", object: "service" } };
    source = await open({ metrics });
    const path = `${root}/v1beta2/namespaces/shop/services/*/http_requests%2Fs`;
    server.on(path, answer({ items: [toItem({ name: "web-service", kind: "Service", value: "4" })] }));
    expect(await read(ref("web"), ref("bare"))).toEqual([{ ref: ref("web"), value: 4, ageMs: 0 }]);
    expect(server.requestsTo(path)[0]?.query.get("metricLabelSelector")).toBe("verb=GET");
  });

  it("has nothing to say of other scalers' resources and of names that are no workload's", async () => {
    give({ value: "0" });
    expect(await read({ ...ref("web"), scaler: "local" }, ref("job:web"))).toEqual([]);
    expect(server.requestsTo(deployments)).toEqual([]);
  });

  it("takes a value that speaks for just the rule's window at its word", async () => {
    give({ value: "0" });
    expect(await read()).toEqual([{ ref: ref("web"), value: 0, ageMs: 0 }]);
  });

  it.each([
    ["that says no window", { windowSeconds: undefined }],
    ["whose window is shorter than the rule's", { windowSeconds: 10 }],
  ])("does not know a value %s until it has seen the whole window, and gives the highest of it", async (_, more) => {
    const seen: (number | undefined)[] = [];
    for (const value of ["0", "4", "0", "0", "0", "0", "0", "0", "0"]) {
      give({ value, more });
      seen.push((await read())[0]?.value);
      clock.jumpWallClock(10_000);
    }
    expect(seen.indexOf(4)).toBeGreaterThanOrEqual(5);
    expect(seen.find((value) => value !== undefined)).toBe(4);
    expect(seen.at(-1)).toBe(0);
  });

  it("knows nothing for a while after it could not ask for half a window", async () => {
    const more = { windowSeconds: undefined };
    for (let step = 0; step < 8; step += 1) {
      give({ more });
      await read();
      clock.jumpWallClock(10_000);
    }
    give({ more });
    expect(await read()).toHaveLength(1);
    server.on(deployments, fail(503, { message: "adapter is away" }));
    await expect(read()).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
    clock.jumpWallClock(40_000);
    give({ more });
    expect(await read()).toEqual([]);
  });

  it("does not believe a value of a longer window, which hides what is busy, and says so once", async () => {
    give({ more: { windowSeconds: 600 } });
    expect(await read()).toEqual([]);
    expect(await read()).toEqual([]);
    expect(logger.messages("warn")).toHaveLength(1);
    expect(JSON.stringify(logger.lines)).toContain("longer than the rule's window of 60 s");
  });

  it.each([
    ["no quantity", { value: "many" }],
    ["NaN", { value: "NaN" }],
    ["nothing", { value: null }],
    ["no time", { timestamp: "yesterday" }],
    ["no time at all", { timestamp: undefined }],
    ["no window", { windowSeconds: "long" }],
    ["no object", { describedObject: undefined }],
    ["another kind", { describedObject: { kind: "Pod", namespace: "shop", name: "web" } }],
    ["another namespace", { describedObject: { kind: "Deployment", namespace: "back", name: "web" } }],
  ])("does not know a resource whose item has %s, but all others", async (_, more) => {
    give({ more }, { name: "api", value: "1" });
    expect(await read(ref("web"), ref("api"))).toEqual([{ ref: ref("api"), value: 1, ageMs: 0 }]);
  });

  it.each([
    ["refuses", fail(403, { message: "no" }), "SCALER_FORBIDDEN"],
    ["does not know the metric", fail(404, { reason: "NotFound", message: "no metric requests" }), "SCALER_NOT_FOUND"],
    ["is away", fail(503, { message: "service unavailable" }), "SCALER_UNAVAILABLE"],
    ["answers with something else", answer({ kind: "Status" }), "SCALER_UNAVAILABLE"],
    ["answers with nothing", answer(null), "SCALER_UNAVAILABLE"],
  ])("rejects with the reason where the API %s", async (_, handler, code) => {
    server.on(deployments, handler);
    await expect(read()).rejects.toMatchObject({ code });
    give({ value: "1" });
    expect(await read()).toHaveLength(1);
  });

  it("gives what it has where one namespace fails, and says what is missing", async () => {
    give({ value: "1" });
    server.on(deployments.replace("shop", "back"), fail(500, { message: "broken" }));
    expect(await read(ref("web"), ref("web", "back"))).toEqual([{ ref: ref("web"), value: 1, ageMs: 0 }]);
    expect(JSON.stringify(logger.lines)).toContain("back/deployments.apps/requests");
  });

  it("rejects where no adapter is installed, and finds one that comes later", async () => {
    server.on(root, fail(404, {}));
    await expect(read()).rejects.toMatchObject({
      code: "SCALER_UNSUPPORTED",
      message: expect.stringContaining("install an adapter") as string,
    });
    serve("v1beta2");
    give({ value: "1" });
    expect(await read()).toHaveLength(1);
  });

  it("gives up in its time and with its signal", async () => {
    source = await open({ timeout: "100ms" });
    server.on(deployments, () => {});
    await expect(read()).rejects.toMatchObject({ code: "SCALER_TIMEOUT" });
    const query = { metric: "requests", windowMs, resources: [ref("web")] };
    const given = source.read(query, { signal: AbortSignal.abort() });
    await expect(given).rejects.toMatchObject({ code: "SCALER_ABORTED" });
  });

  it("counts a measurement from the future as one of now", async () => {
    give({ value: "1", agoMs: -5_000 });
    expect(await read()).toMatchObject([{ ageMs: 0 }]);
  });
});

describe("the plugin", () => {
  it("finds the Service before a workload by itself", async () => {
    const workloads = new FakeCollection(server, "/apis/apps/v1/namespaces/shop/deployments");
    const sets = new FakeCollection(server, "/apis/apps/v1/namespaces/shop/statefulsets");
    const services = new FakeCollection(server, "/api/v1/namespaces/shop/services");
    expect(sets.lists + services.lists).toBe(0);
    const metadata = {
      name: "web",
      namespace: "shop",
      resourceVersion: "1",
      annotations: { "dormouse.dev/enabled": "true" },
    };
    const template = { metadata: { labels: { app: "web", tier: "front" } } };
    workloads.nextLists.push(answer({ metadata: { resourceVersion: "1" }, items: [{ metadata, spec: { template } }] }));
    const spec = { selector: { app: "web", "dormouse.dev/diverted": "true" }, ports: [{ port: 80 }] };
    const service = { metadata: { name: "front", namespace: "shop", resourceVersion: "1" }, spec };
    services.nextLists.push(answer({ metadata: { resourceVersion: "1" }, items: [service] }));
    const path = `${root}/v1beta2/namespaces/shop/services/*/requests`;
    server.on(path, answer({ items: [toItem({ name: "front", kind: "Service", value: "6" })] }));
    const options = { kubeconfig: await server.writeKubeconfig(), object: "service", namespaces: ["shop"] };
    const plugin = await openPort(metricsSource, options, { id: "custom", clock: systemClock, logger: silentLogger });
    const query = { metric: "requests", windowMs, resources: [ref("web")] };
    await vi.waitFor(async () => expect(await plugin.read(query)).toMatchObject([{ value: 6 }]), { timeout: 5_000 });
    await plugin[Symbol.asyncDispose]();
  });
});
