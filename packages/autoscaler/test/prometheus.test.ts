import { type MetricsSource, openPort, silentLogger, systemClock } from "@dormouse/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { prometheusSource } from "../src/index.ts";
import { commandOnPath } from "./command-on-path.ts";
import { LivePrometheus } from "./live-prometheus.ts";

const command = commandOnPath("prometheus");
const missing = "there is no Prometheus here; get it with: apt-get install prometheus";

const ref = (namespace: string, name: string) => ({ scaler: "k8s", namespace, name });
const web = ref("shop", "web.v2");
const api = ref("shop", "api");
const blog = ref("blog", "web.v2");

const labels = 'namespace=~"{{namespace}}",name=~"{{names}}"';
const metrics = {
  open: { query: `max by (namespace, name) (max_over_time(open{${labels}}[{{window}}]))` },
  aged: {
    query: `max by (namespace, name) (max_over_time(open{${labels}}[{{window}}]))`,
    age: `time() - max by (namespace, name) (max_over_time(timestamp(open{${labels}})[{{window}}:250ms]))`,
  },
  odd: { query: `odd{${labels}}` },
  wrong: { query: "sum(" },
};

let prometheus: LivePrometheus | undefined;
let source: MetricsSource;

beforeAll(async () => {
  if (command === undefined) return console.warn(`Skipped: ${missing}`);
  prometheus = await LivePrometheus.start(command);
  prometheus.exposed = [
    'open{namespace="shop",name="web.v2"} 3',
    'open{namespace="shop",name="webXv2"} 100',
    'open{namespace="shop",name="api"} 0',
    'open{namespace="blog",name="web.v2"} 7',
    'odd{namespace="shop",name="web.v2"} NaN',
    'odd{namespace="shop",name="api"} +Inf',
    "",
  ].join("\n");
  const options = { url: prometheus.url, metrics };
  source = await openPort(prometheusSource, options, { id: "prometheus", logger: silentLogger, clock: systemClock });
});

afterAll(async () => {
  await source?.[Symbol.asyncDispose]();
  await prometheus?.stop();
});

beforeEach((context) => {
  context.skip(command === undefined, missing);
});

const read = (metric: string, resources = [web, api], windowMs = 60_000) =>
  source.read({ metric, windowMs, resources });

describe("a real Prometheus", () => {
  it("answers for just the resources of a query, by their whole names", async () => {
    await expect
      .poll(() => read("open"), { timeout: 20_000 })
      .toEqual([
        { ref: api, value: 0 },
        { ref: web, value: 3 },
      ]);
  });

  it("answers for several namespaces at once", async () => {
    await expect
      .poll(() => read("open", [web, blog]), { timeout: 20_000 })
      .toEqual(
        expect.arrayContaining([
          { ref: web, value: 3 },
          { ref: blog, value: 7 },
        ]),
      );
  });

  it("gives NaN and infinity as no number", async () => {
    await expect
      .poll(async () => (await read("odd")).map(({ value }) => value), { timeout: 20_000 })
      .toEqual([NaN, NaN]);
  });

  it("says what is wrong with a query", async () => {
    await expect(read("wrong")).rejects.toMatchObject({
      code: "SCALER_BAD_ARGUMENT",
      message: expect.stringContaining("parse error") as string,
    });
  });

  it("tells ages, which grow while the target is down", async () => {
    const ageOfWeb = async () => (await read("aged")).find(({ ref }) => ref === web)?.ageMs ?? Infinity;
    await expect.poll(ageOfWeb, { timeout: 20_000 }).toBeLessThan(1_500);
    prometheus!.exposed = undefined;
    await expect.poll(ageOfWeb, { timeout: 20_000 }).toBeGreaterThan(3_000);
    expect((await read("aged")).find(({ ref }) => ref === web)?.value).toBe(3);
  });

  it("has nothing to say once the window holds no measurement", async () => {
    prometheus!.exposed = undefined;
    await expect.poll(() => read("open", [web, api], 1_000), { timeout: 20_000 }).toEqual([]);
  });
});
