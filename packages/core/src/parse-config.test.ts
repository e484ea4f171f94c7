import { describe, expect, it } from "vitest";
import { isConfigError } from "./config-error.ts";
import { parseConfig, resolveDefaults } from "./parse-config.ts";
import { pluginId } from "./plugin-id.ts";
import { defaultPolicy } from "./policy.ts";

const least = { scalers: [{ use: "process" }] };

function linesOf(raw: unknown): readonly string[] {
  try {
    parseConfig(raw, "dormouse.yaml");
  } catch (error) {
    if (!isConfigError(error) || error.file !== "dormouse.yaml") throw error;
    return error.message.split("\n").map((line) => line.replace(/^dormouse\.yaml: /, ""));
  }
  throw new Error("the configuration was taken");
}

describe("parseConfig", () => {
  it("fills in every default", () => {
    expect(parseConfig(least, "dormouse.yaml")).toEqual({
      admin: { listen: "127.0.0.1:8081", openMetrics: false },
      scalers: [{ use: "process" }],
      dlx: {
        listen: "127.0.0.1:8080",
        trustedProxies: [],
        maxConnections: 20_000,
        maxHeld: 10_000,
        maxInFlight: 20_000,
        maxHeaderSize: 16_384,
        headersTimeout: 30_000,
        keepAliveTimeout: 75_000,
        bodyIdleTimeout: 300_000,
        replayBody: 65_536,
        drainTimeout: 30_000,
        stopGrace: 0,
        routes: [],
      },
      autoscaler: { every: 5_000, metrics: [{ use: "dlx" }], concurrency: 10, quietPeriod: 0, sleepTimeout: 120_000 },
      cluster: {},
      defaults: {},
      telemetry: { sampleRatio: 1, maxSeries: 1_000 },
      log: { level: "info", format: "auto" },
    });
  });

  it("reads what it is given", () => {
    const config = parseConfig(
      {
        admin: { listen: "[::1]:8081", token: { env: "DORMOUSE_TOKEN" } },
        scalers: [
          { use: "process", id: "local", options: { resources: [] } },
          { use: "./mine.ts" },
          { use: "@acme/dormouse-scaler-nomad" },
        ],
        pluginDir: "plugins",
        dlx: { listen: ["0.0.0.0:80", "[::]:80"], trustedProxies: ["10.0.0.0/8"], stopGrace: "5s" },
        autoscaler: {
          every: "1s",
          metrics: [{ use: "dlx" }, { use: "prometheus", id: "prom", options: { url: "x" } }],
        },
        defaults: { holdTimeout: "60s", idleRules: [{ metric: "x", window: "1m", threshold: 1, source: "prom" }] },
        telemetry: { otlp: "http://127.0.0.1:4318" },
        log: { format: "json" },
      },
      "dormouse.yaml",
    );
    expect(config.dlx).toMatchObject({ listen: ["0.0.0.0:80", "[::]:80"], stopGrace: 5_000 });
    expect(config.scalers.map(pluginId)).toEqual(["local", "mine", "nomad"]);
    expect(resolveDefaults(config)).toEqual({
      ...defaultPolicy,
      holdTimeout: 60_000,
      idleRules: [{ metric: "x", window: 60_000, threshold: 1, source: "prom" }],
    });
  });

  it.each<[unknown, string]>([
    [undefined, "is empty; write at least scalers: [ { use: process, options: { resources: [ … ] } } ]"],
    [null, "is empty; write at least scalers: [ { use: process, options: { resources: [ … ] } } ]"],
    ["text", "must be a mapping of keys, not a text"],
    [{}, "scalers: is missing; give a list"],
    [{ scalers: [] }, "scalers: names no scaler; add one, for example { use: process, options: { resources: [ … ] } }"],
    [{ scalers: [{}] }, "scalers[0].use: is missing; give a text"],
    [{ scalers: [{ uses: "process", use: "process" }] }, 'scalers[0].uses: is no known key; did you mean "use"?'],
    [{ ...least, dxl: {} }, 'dxl: is no known key; did you mean "dlx"?'],
    [{ ...least, dlx: { maxHold: 5 } }, 'dlx.maxHold: is no known key; did you mean "maxHeld"?'],
    [{ ...least, dlx: null }, "dlx: has no value; give a mapping of keys or leave the key out"],
    [{ ...least, autoscaler: { every: "0" } }, "autoscaler.every: must be longer than 0"],
    [
      { ...least, autoscaler: { every: 5 } },
      'autoscaler.every: 5 is no duration; write a number with its unit, such as "250ms", "90s", "5m", "1h", or 0',
    ],
    [
      { ...least, telemetry: { otlp: "localhost:4318" } },
      'telemetry.otlp: is no URL; write for example "http://127.0.0.1:4318"',
    ],
    [
      { ...least, admin: { token: "s3cret" } },
      "admin.token: is no secret reference; write { env: NAME } or { file: PATH }, never the secret itself",
    ],
    [
      { ...least, dlx: { trustedProxies: ["localhost"] } },
      'dlx.trustedProxies[0]: "localhost" is no address or network; write for example "10.1.2.3", "10.0.0.0/8" or "fd00::/8"',
    ],
    [
      { ...least, dlx: { listen: "8080" } },
      'dlx.listen: "8080" is no listen address; write "127.0.0.1:8080", "[::1]:8080" or "0.0.0.0:8080"',
    ],
    [{ ...least, defaults: { idelAfter: "5m" } }, 'defaults.idelAfter: is no known key; did you mean "idleAfter"?'],
    [{ scalers: [{ use: "process", id: "a/b" }] }, "scalers[0].id: is no id; use letters, digits and . _ : -"],
    [
      { scalers: [{ use: "./my scaler.ts" }] },
      'scalers[0].use: gives no usable id ("my scaler"); add an id of letters, digits and . _ : -',
    ],
    [
      { scalers: [{ use: "process" }, { use: "@dormouse/scaler-process" }] },
      'scalers[1].id: "process" is the id of scalers[0] already; give one of them another id',
    ],
    [
      { ...least, autoscaler: { metrics: [{ use: "dlx" }, { use: "x", id: "dlx" }] } },
      'autoscaler.metrics[1].id: "dlx" is the id of autoscaler.metrics[0] already; give one of them another id',
    ],
    [
      { ...least, dlx: { routes: [{ use: "a" }, { use: "a" }] } },
      'dlx.routes[1].id: "a" is the id of dlx.routes[0] already; give one of them another id',
    ],
    [
      { ...least, admin: { listen: "0.0.0.0:8081" } },
      "admin.token: is missing, and 0.0.0.0:8081 can be reached from other machines; give { env: NAME } or { file: PATH }, or listen on 127.0.0.1, or ask callers for certificates by admin.tls.ca",
    ],
    [
      { ...least, dlx: { listen: "127.0.0.1:8081" } },
      "dlx.listen: 127.0.0.1:8081 is the address of admin.listen already; choose another port",
    ],
    [
      { ...least, dlx: { listen: ["a:1", "a:1"] } },
      "dlx.listen[1]: a:1 is the address of dlx.listen[0] already; choose another port",
    ],
    [
      { ...least, defaults: { idleRules: [{ metric: "x", window: "1m", threshold: 0, source: "dxl" }] } },
      'defaults.idleRules[0].source: "dxl" is no metrics source; did you mean "dlx"?',
    ],
    [
      { ...least, defaults: { idleRules: [{ metric: "x", window: "1m", threshold: 0, source: "prometheus" }] } },
      'defaults.idleRules[0].source: "prometheus" is no metrics source; add it to autoscaler.metrics, which has dlx',
    ],
  ])("refuses %j", (raw, line) => {
    expect(linesOf(raw)).toEqual([line]);
  });

  it("names everything that is wrong at once", () => {
    expect(linesOf({ scalers: [{ use: 5 }], dlx: { lissten: 1, maxHeld: 0 }, log: { level: "loud" } })).toHaveLength(4);
  });

  it.each(["127.0.0.1:8081", "127.1.2.3:1", "localhost:8081", "[::1]:8081"])("needs no token at %s", (listen) => {
    expect(parseConfig({ ...least, admin: { listen } }, "x").admin.listen).toBe(listen);
  });

  it("lets several listeners have any free port", () => {
    const config = parseConfig(
      { ...least, admin: { listen: "127.0.0.1:0" }, dlx: { listen: ["127.0.0.1:0", "127.0.0.1:0"] } },
      "x",
    );
    expect(config.dlx.listen).toHaveLength(2);
  });

  it("keeps a plugin's options as they are written", () => {
    const options = { anything: [1, { b: null }], idleAfter: "5m" };
    expect(parseConfig({ scalers: [{ use: "x", options }] }, "x").scalers[0]?.options).toEqual(options);
  });
});

describe("pluginId", () => {
  it.each([
    ["process", "process"],
    ["@dormouse/scaler-process", "process"],
    ["@dormouse/metrics-prometheus", "prometheus"],
    ["@acme/dormouse-scaler-nomad", "nomad"],
    ["dormouse-scaler-nomad", "nomad"],
    ["@acme/nomad", "nomad"],
    ["./plugins/mine.ts", "mine"],
    ["../scaler-mine.mjs", "mine"],
    ["file:///opt/mine.js", "mine"],
    ["scaler-", "scaler-"],
  ])("of %j is %j", (use, id) => {
    expect(pluginId({ use })).toBe(id);
    expect(pluginId({ use, id: "own" })).toBe("own");
  });
});
