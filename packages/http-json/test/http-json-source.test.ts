import { isConfigError, type Logger, type MetricSample, openPort, type ResourceRef } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { metricsSource } from "../src/index.ts";
import { type TestAnswer, type TestRequest, TestServer } from "@dormouse/core/testing";

const app: ResourceRef = { scaler: "http", namespace: "default", name: "app" };
const shop: ResourceRef = { ...app, name: "shop" };

interface Setting {
  readonly server: TestServer;
  readonly clock: FakeClock;
  readonly logs: readonly string[];
  read(metric?: string, resources?: readonly ResourceRef[], windowMs?: number): Promise<readonly MetricSample[]>;
  /** The value of the one sample after so many ms; undefined: there is none. */
  valueAfter(ms: number, windowMs: number): Promise<number | undefined>;
}

type Answer = (request: TestRequest) => TestAnswer;

async function open(answer: Answer, metric: object = {}, more: object = {}): Promise<Setting> {
  const server = await TestServer.open(answer);
  const clock = new FakeClock();
  const logs: string[] = [];
  const options = {
    metrics: { cpu: { url: `${server.url}/app/status`, path: "$.cpu.highPriority", ...metric } },
    retries: { attempts: 1 },
    ...more,
  };
  const source = await openPort(metricsSource, options, { id: "http-json", clock, logger: loggerInto(logs) });
  onTestFinished(async () => {
    await source[Symbol.asyncDispose]();
    await server.close();
    expect(clock.pendingTimers).toBe(0);
  });
  const read: Setting["read"] = (name = "cpu", resources = [app], windowMs = 0) =>
    source.read({ metric: name, windowMs, resources });
  const valueAfter: Setting["valueAfter"] = async (ms, windowMs) => {
    await clock.advance(ms);
    return (await read("cpu", [app], windowMs))[0]?.value;
  };
  return { server, clock, logs, read, valueAfter };
}

function loggerInto(logs: string[]): Logger {
  const log = (fields: object, message: string): void => void logs.push(`${message} ${JSON.stringify(fields)}`);
  return { debug: log, info: log, warn: log, error: log, child: () => loggerInto(logs) };
}

const status = (highPriority: unknown): TestAnswer => ({ body: { cpu: { highPriority }, replicas: 10 } });

async function issuesOf(options: object): Promise<readonly string[]> {
  const context = { id: "http-json", clock: new FakeClock(), logger: loggerInto([]) };
  const error = await openPort(metricsSource, options, context).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return isConfigError(error) ? error.issues.map(({ place, problem }) => `${place} ${problem}`) : [];
}

describe("the metrics source http-json", () => {
  it("reads the CPU of a ScaleIt server", async () => {
    const { read, server } = await open(() => status(0.68));
    expect(await read()).toEqual([{ ref: app, value: 0.68, ageMs: 0 }]);
    expect(server.requests[0]).toMatchObject({
      method: "GET",
      path: "/app/status",
      headers: { accept: "application/json" },
    });
  });

  it("brings a number into its base unit", async () => {
    const { read } = await open(() => status(68), { factor: 0.01 });
    expect((await read())[0]?.value).toBeCloseTo(0.68);
  });

  it.each([["0.68"], [null], [true], [[0.68]], [{}], [undefined]])(
    "knows nothing where %j stands, and says so once",
    async (value) => {
      const { read, logs, clock } = await open(() => status(value));
      for (let tick = 0; tick < 3; tick += 1) {
        expect(await read()).toEqual([]);
        await clock.advance(1_000);
      }
      expect(logs).toHaveLength(1);
      expect(logs[0]).toContain("$.cpu.highPriority leads");
    },
  );

  it.each<[string, TestAnswer]>([
    ["500", { status: 500 }],
    ["HTML", { body: "<html></html>" }],
    ["half a document", { body: '{"cpu":{"highPriority":0.' }],
    ["a document that is too long", { body: `[${"0,".repeat(200)}0]` }],
    ["a redirect", { status: 302, headers: { location: "/login" } }],
    ["a cut connection", (response) => response.destroy()],
  ])("fails as a whole where there is nothing but %s, and works again after", async (_, answer) => {
    let isBroken = true;
    const { read, clock } = await open(() => (isBroken ? answer : status(0.5)), {}, { mostBytes: 200 });
    await expect(read()).rejects.toMatchObject({ name: "ScalerError" });
    isBroken = false;
    await clock.advance(1_000);
    expect((await read())[0]?.value).toBe(0.5);
  });

  it("asks once for a document that several metrics and resources need at the same time", async () => {
    const cpu = { path: "$.cpu.highPriority" };
    const { read, server } = await open(() => status(0.5), cpu);
    await Promise.all([read("cpu", [app, shop]), read("cpu", [app], 60_000), read("cpu", [shop], 30_000)]);
    expect(server.requests).toHaveLength(1);
  });

  it("takes an answer again while it is young, says how old it is, and asks anew after", async () => {
    const { read, server, clock } = await open(() => status(0.5), {}, { maxAge: "2s" });
    await read();
    await clock.advance(1_500);
    expect(await read()).toEqual([{ ref: app, value: 0.5, ageMs: 1_500 }]);
    await clock.advance(500);
    expect(await read()).toEqual([{ ref: app, value: 0.5, ageMs: 0 }]);
    expect(server.requests).toHaveLength(2);
  });

  it("puts the resource into URL and path", async () => {
    const { read, server } = await open(({ path }) => ({ body: { app: path.length, shop: 7 } }), {
      path: "$['{{name}}']",
    });
    expect((await read("cpu", [app, shop])).map(({ value }) => value)).toEqual([11, 7]);
    expect(server.requests).toHaveLength(1);
  });

  it("leaves only the resources unknown whose own document cannot be had", async () => {
    const { server } = await open(({ path }) => (path === "/shop" ? { status: 500 } : { body: 1 }));
    const source = await open(() => ({}), { url: `${server.url}/{{name}}`, path: "$" });
    expect(await source.read("cpu", [app, shop])).toEqual([{ ref: app, value: 1, ageMs: 0 }]);
  });

  it("asks for nothing where a name would lead to another path", async () => {
    const { read, server } = await open(() => status(1), { url: "http://127.0.0.1:1/{{name}}" });
    expect(await read("cpu", [{ ...app, name: ".." }])).toEqual([]);
    expect(server.requests).toHaveLength(0);
  });

  it("ends a query with its signal, and not those of others that wait for the same answer", async () => {
    let release: () => void = () => {};
    const { server, clock } = await open(() => status(1));
    const held = await TestServer.open(() => (response) => (release = () => response.end('{"n":3}')));
    onTestFinished(() => held.close());
    const options = { metrics: { n: { url: held.url, path: "$.n" } }, retries: { attempts: 1 } };
    const source = await openPort(metricsSource, options, { id: "n", clock, logger: loggerInto([]) });
    onTestFinished(() => source[Symbol.asyncDispose]());
    const abort = new AbortController();
    const query = { metric: "n", windowMs: 0, resources: [app] };
    const [given, other] = [source.read(query, { signal: abort.signal }), source.read(query)];
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: "SCALER_ABORTED" });
    await expect.poll(() => held.requests.length).toBe(1);
    release();
    expect((await other)[0]?.value).toBe(3);
    expect(server.requests).toHaveLength(0);
  });

  it("is unknown for a window until it has seen all of it, and then says its highest", async () => {
    const values = [0.2, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1];
    const { valueAfter } = await open(() => status(values.shift()));
    const seen = [];
    for (let tick = 0; tick < 8; tick += 1) seen.push(await valueAfter(tick === 0 ? 0 : 10_000, 30_000));
    expect(seen).toEqual([undefined, undefined, undefined, 0.9, 0.9, 0.1, 0.1, 0.1]);
  });

  it("says the mean over the time of a window where it is asked to", async () => {
    const values = [0, 6, 3, 100];
    const { valueAfter } = await open(() => status(values.shift()), { over: "average" });
    await valueAfter(0, 30_000);
    await valueAfter(10_000, 30_000);
    await valueAfter(10_000, 30_000);
    expect(await valueAfter(10_000, 30_000)).toBeCloseTo(3);
  });

  it("is unknown again after an outage of more than half a window", async () => {
    let isBroken = false;
    const { valueAfter, read } = await open(() => (isBroken ? { status: 500 } : status(0)));
    for (let tick = 0; tick < 4; tick += 1) await valueAfter(10_000, 30_000);
    expect(await valueAfter(10_000, 30_000)).toBe(0);
    isBroken = true;
    await expect(valueAfter(10_000, 30_000)).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
    isBroken = false;
    expect(await valueAfter(10_000, 30_000)).toBeUndefined();
    expect(await read("cpu", [app], 0)).toHaveLength(1);
  });

  it("needs no window for a number that speaks of one itself", async () => {
    const { valueAfter } = await open(() => status(0.4), { over: "latest" });
    expect(await valueAfter(0, 300_000)).toBe(0.4);
  });

  it("takes the age that a document tells of itself, and infinity where it should and does not", async () => {
    const ages: unknown[] = [12, "unknown", -3];
    const { read, clock } = await open(() => ({ body: { cpu: { highPriority: 1 }, age: ages.shift() } }), {
      age: "$.age",
    });
    const seen = [];
    for (let tick = 0; tick < 3; tick += 1) {
      seen.push((await read())[0]?.ageMs);
      await clock.advance(1_000);
    }
    expect(seen).toEqual([12_000, Infinity, 0]);
  });

  it("names the metrics that it has where it is asked for another one", async () => {
    const { read } = await open(() => status(1));
    await expect(read("memory")).rejects.toMatchObject({ message: 'the source has no metric "memory"; it has cpu' });
  });

  it("sends its credentials, a token or a password", async () => {
    const token = await open(() => status(1), {}, { token: "abc", headers: { "X-Team": "a" } });
    await token.read();
    expect(token.server.requests[0]?.headers).toMatchObject({ authorization: "Bearer abc", "x-team": "a" });
    const basic = await open(() => status(1), {}, { basicAuth: { username: "me", password: "it" } });
    await basic.read();
    expect(basic.server.requests[0]?.headers.authorization).toBe(`Basic ${btoa("me:it")}`);
  });

  it.each<[object, string]>([
    [{ metrics: {} }, "http-json.metrics is empty"],
    [{ metrics: { a: { url: "localhost:1", path: "$.a" } } }, "http-json.metrics.a.url is no URL"],
    [
      { metrics: { a: { url: "http://me:it@localhost:1", path: "$.a" } } },
      "http-json.metrics.a.url must not hold credentials",
    ],
    [
      { metrics: { a: { url: "http://h/{{pod}}", path: "$.a" } } },
      "http-json.metrics.a.url has an unknown placeholder",
    ],
    [{ metrics: { a: { url: "http://h", path: "a" } } }, 'http-json.metrics.a.path "a" is no JSONPath'],
    [{ metrics: { a: { url: "http://h", path: "$.a", unit: "x" } } }, "http-json.metrics.a.unit is no known key"],
    [{ metrics: { a: { url: "http://h", path: "$" } }, headers: { "bad name": "x" } }, "http-json.headers"],
    [
      { metrics: { a: { url: "http://h", path: "$" } }, token: "a", basicAuth: { username: "a", password: "b" } },
      "http-json has both",
    ],
  ])("says what is wrong in %j", async (options, problem) => {
    const issues = await issuesOf(options);
    expect(issues.join("\n")).toContain(problem);
  });
});
