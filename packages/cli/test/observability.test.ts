import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "@dormouse/core/testing";
import { request } from "undici";
import { afterEach, beforeEach, describe, expect, it, type TestContext, vi } from "vitest";
import { metricTable } from "../src/telemetry/metric-table.ts";
import { endBins } from "./run-bin.ts";
import { type RunningHost, server, startHost } from "./run-host.ts";

const run = promisify(execFile);

/** How long anything may take on a busy machine. */
const soon = { timeout: 20_000 };

vi.setConfig({ testTimeout: 120_000 });

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dormouse-seen-"));
});

afterEach(async () => {
  await endBins();
  await rm(folder, { recursive: true, force: true });
});

/** Two replicas at least, so that there is something to raise. */
const target = "{ metric: in_flight, valueKind: total, value: 5 }";

/** Its requests can fail, so they are counted, though nobody makes any here. */
const httpSource = '{ use: http-json, options: { metrics: { far: { url: "http://127.0.0.1:9/far", path: $.far } } } }';

function config(top = ""): string {
  return `admin: { listen: 127.0.0.1:0 }
dlx: { listen: 127.0.0.1:0 }
autoscaler: { every: 200ms, metrics: [{ use: dlx }, ${httpSource}] }
scalers:
  - use: process
    id: local
    options:
      resources:
        - { name: a, command: ${server("a")}, policy: { hosts: [a.test] } }
        - { name: many, command: ${server("many")}, policy: { hosts: [many.test], minReplicas: 2, target: ${target} } }
        - { name: broken, command: [${process.execPath}, -e, "process.exit(3)"], policy: { hosts: [broken.test], wakeTimeout: 2s } }
${top}`;
}

/** Everything that has a metric of its own: a cold and a warm request, one that fails, one without a route, a wake that fails, a sleep, a count that is raised, two reloads. */
async function useAll(host: RunningHost): Promise<void> {
  for (const name of ["a.test", "a.test", "nobody.test", "broken.test", "many.test"]) await host.get(name);
  await host.run("sleep", "a");
  host.bin.kill("SIGHUP");
  await expect
    .poll(async () => (await host.ask("/metrics")).body, soon)
    .toContain('dormouse_config_reloads_total{outcome="applied"} 1');
  await expect
    .poll(async () => (await host.ask("/metrics")).body, soon)
    .toContain('dormouse_scales_total{resource="local/default/many",direction="up",outcome="done"} 1');
}

/** Whether Debian's package is there; says how to get it where it is not. */
async function needs(tool: string, context: TestContext): Promise<void> {
  const isThere = await run(tool, ["--version"]).then(
    () => true,
    () => false,
  );
  if (!isThere) context.skip(`${tool} is missing: apt-get install prometheus`);
}

/** The types of all metrics in a text, by name. */
function typesIn(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]));
}

describe("/metrics", () => {
  it("has every metric of the table, and no other, with its type, labels and buckets in seconds", async () => {
    const host = await startHost(config(), { folder });
    await useAll(host);
    const { body } = await host.ask("/metrics");
    const types = typesIn(body);
    types.delete("target_info");
    expect(Object.fromEntries(types)).toEqual(Object.fromEntries(metricTable.map(({ name, type }) => [name, type])));
    for (const { name, labels, type } of metricTable) {
      const suffix = type === "histogram" ? "_count" : "";
      const series = [...body.matchAll(new RegExp(`^${name}${suffix}(?:\\{(.*)\\})? `, "gm"))];
      expect(series.length, name).toBeGreaterThan(0);
      for (const [, found = ""] of series)
        expect(new Set([...found.matchAll(/(\w+)="/g)].map(([, label]) => label)), name).toEqual(new Set(labels));
      if (type !== "histogram") continue;
      const buckets = [...body.matchAll(new RegExp(`^${name}_bucket\\{.*le="([\\d.]+)"\\}`, "gm"))].map(([, bound]) =>
        Number(bound),
      );
      expect(Math.min(...buckets), `${name} counts milliseconds`).toBeLessThan(0.1);
      expect(Math.max(...buckets), `${name} knows no minute`).toBeLessThan(1_000);
    }
  });

  it("passes promtool's check", async (context) => {
    await needs("promtool", context);
    const host = await startHost(config(), { folder });
    await useAll(host);
    const { body } = await host.ask("/metrics");
    const checked = await new Promise<{ code: number | null; output: string }>((resolve) => {
      const child = spawn("promtool", ["check", "metrics"]);
      let output = "";
      child.stdout.on("data", (chunk) => (output += String(chunk)));
      child.stderr.on("data", (chunk) => (output += String(chunk)));
      child.on("close", (code) => resolve({ code, output }));
      child.stdin.end(body);
    });
    expect(checked).toEqual({ code: 0, output: "" });
  });

  it("is scraped by a real Prometheus, which then knows what happened", async (context) => {
    await needs("prometheus", context);
    const host = await startHost(config(), { folder });
    await useAll(host);
    const prometheus = await startPrometheus(host.admin);
    try {
      const value = async (query: string): Promise<number | undefined> => prometheus.value(query);
      await expect.poll(() => value('up{job="dormouse"}'), soon).toBe(1);
      await expect
        .poll(() => value('dormouse_dlx_requests_total{resource="local/default/a",code="200"}'), soon)
        .toBe(2);
      expect(await value('dormouse_sleeps_total{resource="local/default/a",outcome="done"}')).toBe(1);
      expect(await value('dormouse_resource_state{resource="local/default/a",state="asleep"}')).toBe(1);
      expect(
        await value('histogram_quantile(0.95, sum by (le) (dormouse_wake_seconds_bucket{phase="total"}))'),
      ).toBeGreaterThan(0);
      await host.get("a.test");
      await expect
        .poll(() => value('dormouse_dlx_requests_total{resource="local/default/a",code="200"}'), { timeout: 20_000 })
        .toBe(3);
      await expect
        .poll(() => value('absent(dormouse_resource_state{resource="local/default/a",state="asleep"})'), {
          timeout: 20_000,
        })
        .toBe(1);
    } finally {
      await prometheus.stop();
    }
  });
});

interface Prometheus {
  value(query: string): Promise<number | undefined>;
  stop(): Promise<void>;
}

async function startPrometheus(admin: string): Promise<Prometheus> {
  const file = join(folder, "prometheus.yml");
  await writeFile(
    file,
    `global: { scrape_interval: 1s }\nscrape_configs: [{ job_name: dormouse, static_configs: [{ targets: ["${new URL(admin).host}"] }] }]\n`,
  );
  const port = await freePort();
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--log.level=error",
  ];
  const child = spawn("prometheus", args, { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const value = async (query: string): Promise<number | undefined> => {
    try {
      const { body } = await request(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`);
      const answer = (await body.json()) as { data: { result: readonly { value: readonly [number, string] }[] } };
      const found = answer.data.result[0]?.value[1];
      return found === undefined ? undefined : Number(found);
    } catch {
      return undefined;
    }
  };
  return {
    value,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

describe("traces", () => {
  it("of a cold request reach an OTLP collector with the wake's phases, as part of the caller's own trace", async () => {
    const collector = await startCollector();
    const host = await startHost(config(`telemetry: { otlp: "${collector.url}" }\n`), { folder });
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    await request(`http://${host.dlx}/`, {
      headers: { host: "a.test", traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    });
    host.bin.kill("SIGTERM");
    expect(await host.bin.ended).toBe(0);
    const spans = collector.spans().filter((span) => span.traceId === traceId);
    const names = spans.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["request", "hold", "forward", "wake", "wake.claim", "wake.start"]));
    const byName = (name: string): OtlpSpan | undefined => spans.find((span) => span.name === name);
    expect(byName("request")?.parentSpanId).toBe("b7ad6b7169203331");
    expect(byName("wake.claim")?.parentSpanId).toBe(byName("wake")?.spanId);
    expect(byName("scaler.setScale")?.parentSpanId).toBe(byName("wake.claim")?.spanId);
    expect(collector.resource()).toMatchObject({ "service.name": "dormouse" });
    collector.close();
  });

  it("are not sent where the caller decided so, nor where the ratio is 0", async () => {
    const collector = await startCollector();
    const host = await startHost(config(`telemetry: { otlp: "${collector.url}", sampleRatio: 0 }\n`), { folder });
    const notSampled = "1af7651916cd43dd8448eb211c80319c";
    await request(`http://${host.dlx}/`, {
      headers: { host: "a.test", traceparent: `00-${notSampled}-b7ad6b7169203331-00` },
    });
    await host.get("a.test");
    host.bin.kill("SIGTERM");
    await host.bin.ended;
    expect(collector.spans().filter(({ name }) => name === "request")).toEqual([]);
    collector.close();
  });

  it("hold up no stop where the collector is away or does not answer", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const host = await startHost(config(`telemetry: { otlp: "http://127.0.0.1:${port}" }\n`), { folder });
    await host.get("a.test");
    const before = performance.now();
    host.bin.kill("SIGTERM");
    expect(await host.bin.ended).toBe(0);
    // The exporter gives up after 10 s.
    expect(performance.now() - before).toBeLessThan(10_000 + soon.timeout);
    silent.closeAllConnections();
    silent.close();
  });
});

interface Collector {
  readonly url: string;
  spans(): readonly OtlpSpan[];
  resource(): Readonly<Record<string, unknown>>;
  close(): void;
}

interface OtlpBody {
  readonly resourceSpans: readonly {
    readonly resource: {
      readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
    };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

/** Takes OTLP/HTTP with JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp). */
async function startCollector(): Promise<Collector> {
  const bodies: OtlpBody[] = [];
  const http: Server = createServer((asked, response) => {
    let text = "";
    asked.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    asked.on("end", () => {
      if (asked.url === "/v1/traces") bodies.push(JSON.parse(text) as OtlpBody);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const all = () => bodies.flatMap(({ resourceSpans }) => resourceSpans);
  return {
    url: `http://127.0.0.1:${(http.address() as { port: number }).port}`,
    spans: () => all().flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    resource: () =>
      Object.fromEntries((all()[0]?.resource.attributes ?? []).map(({ key, value }) => [key, value.stringValue])),
    close: () => {
      http.closeAllConnections();
      http.close();
    },
  };
}
