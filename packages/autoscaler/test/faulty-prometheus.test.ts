import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { type MetricsSource, openPort, silentLogger, systemClock } from "@dormouse/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { prometheusSource } from "../src/index.ts";

const web = { scaler: "k8s", namespace: "shop", name: "web" };
const api = { scaler: "k8s", namespace: "shop", name: "api" };
const query = { metric: "open", windowMs: 60_000, resources: [web, api] };

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly form: URLSearchParams;
}

type Answer = (response: ServerResponse) => void;

let server: Server;
let url: string;
let asked: Asked[];
let answer: Answer;
let source: MetricsSource | undefined;

beforeEach(async () => {
  asked = [];
  answer = vector([]);
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      asked.push({
        method: request.method,
        url: request.url,
        headers: request.headers,
        form: new URLSearchParams(body),
      });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});

afterEach(async () => {
  await source?.[Symbol.asyncDispose]();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function json(status: number, body: unknown): Answer {
  return (response) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

type Series = readonly [labels: Record<string, string>, value: string];

function vector(series: readonly Series[], extra: object = {}): Answer {
  const result = series.map(([metric, value]) => ({ metric, value: [1_700_000_000, value] }));
  return json(200, { status: "success", data: { resultType: "vector", result }, ...extra });
}

async function open(options: object = {}): Promise<MetricsSource> {
  const metrics = { open: { query: 'open{name=~"{{names}}"}' } };
  const context = { id: "prometheus", logger: silentLogger, clock: systemClock };
  source = await openPort(prometheusSource, { url, metrics, timeout: "2s", ...options }, context);
  return source;
}

async function read(options: object = {}, signal?: AbortSignal) {
  const opened = await open(options);
  return opened.read(query, signal === undefined ? {} : { signal });
}

describe("the metrics source prometheus", () => {
  it("asks once, by POST, at the server's own time", async () => {
    answer = vector([[{ namespace: "shop", name: "web" }, "3"]]);
    expect(await read()).toEqual([{ ref: web, value: 3 }]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ method: "POST", url: "/api/v1/query" });
    expect(Object.fromEntries(asked[0]!.form)).toEqual({ query: 'open{name=~"api|web"}' });
  });

  it("shows a bearer token, basic credentials or further headers", async () => {
    await read({ token: "t0ken" });
    await read({ basicAuth: { username: "me", password: "p4ss" }, headers: { "X-Scope-OrgID": "acme" } });
    expect(asked[0]!.headers.authorization).toBe("Bearer t0ken");
    expect(asked[1]!.headers.authorization).toBe(`Basic ${Buffer.from("me:p4ss").toString("base64")}`);
    expect(asked[1]!.headers["x-scope-orgid"]).toBe("acme");
  });

  it("gives each resource the series with its labels, and what has none or others to nobody", async () => {
    answer = vector([
      [{ namespace: "shop", name: "web" }, "1"],
      [{ namespace: "other", name: "web" }, "2"],
      [{ name: "api" }, "4"],
      [{ namespace: "shop", name: "unknown" }, "8"],
      [{ namespace: "shop", job: "web" }, "16"],
      [{}, "32"],
    ]);
    // All that is asked for is of one namespace, so a series without one can only be of it.
    expect(await read()).toEqual([
      { ref: web, value: 1 },
      { ref: api, value: 4 },
    ]);
    const opened = await open();
    const resources = [web, { ...api, namespace: "other" }];
    expect(await opened.read({ ...query, resources })).toEqual([{ ref: web, value: 1 }]);
  });

  it("reads other labels and units, and ages in the same query", async () => {
    answer = vector([
      [{ ns: "shop", deployment: "web", dormouse_part: "value" }, "250"],
      [{ ns: "shop", deployment: "web", dormouse_part: "age" }, "12.5"],
      [{ ns: "shop", deployment: "api", dormouse_part: "value" }, "0"],
    ]);
    const metrics = { open: { query: "a", age: "b", label: "deployment", namespaceLabel: "ns", unit: "milliseconds" } };
    expect(await read({ metrics })).toEqual([
      { ref: web, value: 0.25, ageMs: 12_500 },
      { ref: api, value: 0, ageMs: Infinity },
    ]);
    expect(asked).toHaveLength(1);
  });

  it.each(["NaN", "+Inf", "-Inf", "nonsense"])("gives %s as no number", async (text) => {
    answer = vector([[{ namespace: "shop", name: "web" }, text]]);
    expect(await read()).toEqual([{ ref: web, value: NaN }]);
  });

  it("gives one sample to each of two scalers' resources of one name", async () => {
    answer = vector([[{ namespace: "shop", name: "web" }, "1"]]);
    const opened = await open();
    const twin = { ...web, scaler: "docker" };
    expect(await opened.read({ ...query, resources: [web, twin] })).toEqual([
      { ref: web, value: 1 },
      { ref: twin, value: 1 },
    ]);
  });
});

const text =
  (status: number, body: string): Answer =>
  (response) =>
    response.writeHead(status, { "content-type": "text/plain" }).end(body);

describe("a Prometheus that fails", () => {
  it.each<[string, Answer, object]>([
    ["with 500 and words", text(500, "boom"), { code: "SCALER_UNAVAILABLE", message: "Prometheus answered 500" }],
    [
      "with 503 and JSON",
      json(503, { status: "error", error: "starting up" }),
      { code: "SCALER_UNAVAILABLE", message: "Prometheus answered 503: starting up" },
    ],
    [
      "over the query",
      json(400, { status: "error", error: "parse error" }),
      { code: "SCALER_BAD_ARGUMENT", message: "Prometheus answered 400: parse error" },
    ],
    ["over the credentials", text(401, "no"), { code: "SCALER_FORBIDDEN" }],
    ["for too many queries", text(429, "no"), { code: "SCALER_RATE_LIMITED" }],
    ["with a page", text(200, "<html>sign in</html>"), { code: "SCALER_UNAVAILABLE" }],
    ["with half an answer", text(200, '{"status":"success","data":{"resu'), { code: "SCALER_UNAVAILABLE" }],
    ["with JSON of another form", json(200, { status: "success" }), { code: "SCALER_UNAVAILABLE" }],
    ["with nothing", text(204, ""), { code: "SCALER_UNAVAILABLE" }],
    ["with null", json(200, null), { code: "SCALER_UNAVAILABLE" }],
    [
      "with a range",
      json(200, { status: "success", data: { resultType: "matrix", result: [] } }),
      { code: "SCALER_BAD_ARGUMENT" },
    ],
    [
      "with a scalar",
      json(200, { status: "success", data: { resultType: "scalar", result: [1, "0"] } }),
      { code: "SCALER_BAD_ARGUMENT" },
    ],
    [
      "with a part of the answer",
      vector([], { warnings: ["one store is down"] }),
      { code: "SCALER_UNAVAILABLE", message: "the answer may be partial: one store is down" },
    ],
    ["by hanging up", (response) => response.destroy(), { code: "SCALER_UNAVAILABLE" }],
  ])("%s is unknown as a whole", async (_, broken, expected) => {
    answer = broken;
    await expect(read()).rejects.toMatchObject(expected);
  });

  it("by never answering is given up after the timeout", async () => {
    answer = () => {};
    await expect(read({ timeout: "100ms" })).rejects.toMatchObject({ code: "SCALER_TIMEOUT" });
  });

  it("by an endless answer is given up at a bound, and its connection with it", async () => {
    let isClosed = false;
    let sent = 0;
    answer = (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const chunk = Buffer.alloc(1_048_576, " ");
      const send = (): void => {
        while (!isClosed && response.write(chunk)) sent += chunk.length;
        sent += chunk.length;
      };
      response.on("drain", send).on("close", () => (isClosed = true));
      send();
    };
    await expect(read({ timeout: "20s" })).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
    await expect.poll(() => isClosed).toBe(true);
    expect(sent).toBeLessThan(100 * 1_048_576);
  });

  it("by a redirect is not followed, and nobody else sees the credentials", async () => {
    answer = (response) => response.writeHead(307, { location: `${url}/elsewhere` }).end();
    await expect(read({ token: "t0ken" })).rejects.toMatchObject({ message: "Prometheus answered 307" });
    expect(asked.map((each) => each.url)).toEqual(["/api/v1/query"]);
  });

  it("by refusing connections is unknown", async () => {
    const dead = await open();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(dead.read(query)).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
  });

  it("does not show the credentials in what it rejects with", async () => {
    answer = (response) => response.destroy();
    const error: unknown = await read({ token: "t0ken", headers: { "X-Key": "s3cret" } }).catch(
      (error: unknown) => error,
    );
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch(/t0ken|s3cret/);
  });

  it("ends with its caller's signal, and with the source", async () => {
    answer = () => {};
    const abort = new AbortController();
    const first = read({}, abort.signal);
    await expect.poll(() => asked.length).toBe(1);
    abort.abort();
    await expect(first).rejects.toMatchObject({ code: "SCALER_ABORTED" });
    const opened = await open();
    const second = opened.read(query);
    await expect.poll(() => asked.length).toBe(2);
    await opened[Symbol.asyncDispose]();
    await expect(second).rejects.toMatchObject({ code: "SCALER_ABORTED" });
  });

  it("is asked for a metric that is not configured: the message names those that are", async () => {
    const opened = await open();
    await expect(opened.read({ ...query, metric: "closed" })).rejects.toThrow('no metric "closed"; it has open');
    expect(asked).toEqual([]);
  });
});
