import { describe, expect, it } from "vitest";
import { z } from "zod";
import { isConfigError } from "./config-error.ts";
import { parsePolicy } from "./parse-policy.ts";
import { defaultPolicy, policyFields, policySchema } from "./policy.ts";

/** The lines of the ConfigError that a policy is refused with. */
function linesOf(raw: unknown): readonly string[] {
  try {
    parsePolicy(raw, defaultPolicy, "policy");
  } catch (error) {
    if (isConfigError(error)) return error.message.split("\n");
    throw error;
  }
  throw new Error("the policy was taken");
}

describe("the defaults", () => {
  it("are those of the documentation", () => {
    expect(defaultPolicy).toEqual({
      enabled: false,
      hosts: [],
      headers: {},
      listen: [],
      idleAfter: 300_000,
      streamIdleAfter: 0,
      idleRules: [],
      routing: "auto",
      minAwake: 30_000,
      holdTimeout: 60_000,
      wakeTimeout: 300_000,
      responseTimeout: 0,
      drainTimeout: 30_000,
      maxHeld: 1_000,
      releaseConcurrency: 50,
      maxConcurrency: 0,
      waitingPage: "auto",
      dependsOn: [],
      sleep: "safe",
      minReplicas: 0,
      maxReplicas: 100,
      scaleUp: {
        stabilizationWindow: 0,
        selectPolicy: "max",
        policies: [
          { type: "pods", value: 4, period: 15_000 },
          { type: "percent", value: 100, period: 15_000 },
        ],
      },
      scaleDown: {
        stabilizationWindow: 300_000,
        selectPolicy: "max",
        policies: [{ type: "percent", value: 100, period: 15_000 }],
      },
      cooldown: 15_000,
      flapGuard: { reversals: 6, window: 600_000 },
    });
  });

  it("are themselves a valid policy", () => {
    expect(parsePolicy(z.encode(policySchema, defaultPolicy), defaultPolicy, "")).toEqual(defaultPolicy);
  });

  it("describe every key", () => {
    for (const [key, field] of Object.entries(policyFields)) expect(field.meta()?.description, key).toMatch(/.{10,}/);
  });
});

describe("parsePolicy", () => {
  it.each([undefined, null, {}])("takes the defaults for %j", (raw) => {
    expect(parsePolicy(raw, defaultPolicy, "policy")).toEqual(defaultPolicy);
  });

  it("reads every key", () => {
    const raw = {
      enabled: true,
      hosts: ["App.Example.com", "*.example.org", "10.0.0.1", "a_b.local"],
      pathPrefix: "/api",
      headers: { "X-Tenant": "blue" },
      port: "http",
      listen: ["127.0.0.1:9000", "[::1]:0", "db:5432"],
      idleAfter: "10s",
      streamIdleAfter: "1m",
      idleRules: [{ metric: "cpu", window: "5m", threshold: 0.01, source: "prometheus" }],
      routing: "direct",
      minAwake: 0,
      holdTimeout: "2m",
      wakeTimeout: "10m",
      responseTimeout: "30s",
      drainTimeout: "1m",
      maxHeld: 5_000,
      releaseConcurrency: 10,
      maxConcurrency: 100,
      readiness: { path: "/ready", status: 204 },
      waitingPage: "never",
      neverWake: {
        paths: ["/healthz", "/static/*"],
        userAgents: ["kube-probe"],
        networks: ["10.0.0.0/8", "::1"],
        status: 204,
      },
      dependsOn: ["db", "local/data/cache"],
      sleep: "best-effort",
      target: {
        metric: "cpu",
        value: 0.8,
        valueKind: "total",
        tolerance: 0.05,
        toleranceKind: "absolute",
        source: "prometheus",
        window: "30s",
      },
      minReplicas: 2,
      maxReplicas: 20,
      scaleUp: {
        stabilizationWindow: "10s",
        selectPolicy: "min",
        policies: [{ type: "pods", value: 2, period: "1m" }],
      },
      scaleDown: {
        stabilizationWindow: 0,
        selectPolicy: "disabled",
        policies: [{ type: "percent", value: 50, period: "30s" }],
      },
      cooldown: "20s",
      flapGuard: { reversals: 3, window: "5m" },
    };
    expect(Object.keys(raw).toSorted()).toEqual(Object.keys(policyFields).toSorted());
    expect(parsePolicy(raw, defaultPolicy, "policy")).toEqual({
      ...raw,
      hosts: ["app.example.com", "*.example.org", "10.0.0.1", "a_b.local"],
      headers: { "x-tenant": "blue" },
      idleAfter: 10_000,
      streamIdleAfter: 60_000,
      idleRules: [{ metric: "cpu", window: 300_000, threshold: 0.01, source: "prometheus" }],
      minAwake: 0,
      holdTimeout: 120_000,
      wakeTimeout: 600_000,
      responseTimeout: 30_000,
      drainTimeout: 60_000,
      target: { ...raw.target, window: 30_000 },
      scaleUp: { ...raw.scaleUp, stabilizationWindow: 10_000, policies: [{ type: "pods", value: 2, period: 60_000 }] },
      scaleDown: { ...raw.scaleDown, policies: [{ type: "percent", value: 50, period: 30_000 }] },
      cooldown: 20_000,
      flapGuard: { reversals: 3, window: 300_000 },
    });
  });

  it("fills in what a target and its rules leave out", () => {
    const policy = parsePolicy(
      { target: { metric: "cpu", value: 0.8 }, scaleDown: { stabilizationWindow: "30s" } },
      defaultPolicy,
      "policy",
    );
    expect(policy.target).toEqual({
      metric: "cpu",
      value: 0.8,
      valueKind: "average",
      tolerance: 0.1,
      toleranceKind: "relative",
      window: 60_000,
    });
    expect(policy.scaleDown).toEqual({ ...defaultPolicy.scaleDown, stabilizationWindow: 30_000 });
  });

  it("refuses fewer replicas at most than at least, whoever says which", () => {
    expect(linesOf({ minReplicas: 3, maxReplicas: 2 })).toEqual([
      "policy.maxReplicas: is 2, less than minReplicas, which is 3; raise it, or lower minReplicas",
    ]);
    expect(() => parsePolicy({ minReplicas: 3 }, { ...defaultPolicy, maxReplicas: 2 }, "policy")).toThrow(
      "policy.maxReplicas: is 2, less than minReplicas",
    );
  });

  it("goes over the defaults key by key, nested keys as a whole", () => {
    const defaults = {
      ...defaultPolicy,
      holdTimeout: 5_000,
      neverWake: { paths: ["/a"], userAgents: ["b"], networks: [], status: 204 },
    };
    const policy = parsePolicy({ neverWake: { paths: ["/c"] } }, defaults, "policy");
    expect(policy.holdTimeout).toBe(5_000);
    expect(policy.neverWake).toEqual({ paths: ["/c"], userAgents: [], networks: [], status: 200 });
  });

  it("leads to any host where only a path or headers are given", () => {
    expect(parsePolicy({ pathPrefix: "/api", headers: { "x-a": "1" } }, defaultPolicy, "")).toMatchObject({
      hosts: [],
      pathPrefix: "/api",
    });
  });

  it("takes an entry that is written twice once", () => {
    const policy = parsePolicy(
      { hosts: ["a.b", "A.B"], listen: ["a:1", "a:1"], dependsOn: ["x", "x"] },
      defaultPolicy,
      "",
    );
    expect(policy).toMatchObject({ hosts: ["a.b"], listen: ["a:1"], dependsOn: ["x"] });
  });

  it("never changes the defaults it is given", () => {
    const defaults = Object.freeze({ ...defaultPolicy });
    parsePolicy({ hosts: ["a"], idleAfter: "1s" }, defaults, "");
    expect(defaults).toEqual(defaultPolicy);
  });

  it.each<[unknown, string]>([
    [{ idelAfter: "5m" }, 'policy.idelAfter: is no known key; did you mean "idleAfter"?'],
    [{ neverWake: { path: ["/a"] } }, 'policy.neverWake.path: is no known key; did you mean "paths"?'],
    [
      { idleRules: [{ metric: "x", window: "5m", threshold: 0, sorce: "y" }] },
      'policy.idleRules[0].sorce: is no known key; did you mean "source"?',
    ],
    [{ idleRules: [{ metric: "x", window: "0s", threshold: 0 }] }, "policy.idleRules[0].window: must be longer than 0"],
    [
      { hosts: ["http://a.b"] },
      'policy.hosts[0]: "http://a.b" is no host; write a name such as "app.example.com" or "*.example.com", without scheme or port',
    ],
    [
      { hosts: ["a..b"] },
      'policy.hosts[0]: "a..b" is no host; write a name such as "app.example.com" or "*.example.com", without scheme or port',
    ],
    [
      { hosts: ["a.*.b"] },
      'policy.hosts[0]: "a.*.b" is no host; write a name such as "app.example.com" or "*.example.com", without scheme or port',
    ],
    [{ hosts: "a.b" }, "policy.hosts: must be a list, not a text; put it in brackets: [ … ]"],
    [{ pathPrefix: "api" }, 'policy.pathPrefix: "api" is no path; begin it with "/"'],
    [{ headers: { "x y": "1" } }, 'policy.headers["x y"]: "x y" is no header name; write for example "x-tenant"'],
    [{ headers: { "x-retries": 3 } }, "policy.headers.x-retries: must be a text, not a number; put it in quotes"],
    [
      { listen: ["9000"] },
      'policy.listen[0]: "9000" is no listen address; write "127.0.0.1:8080", "[::1]:8080" or "0.0.0.0:8080"',
    ],
    [
      { listen: ["a:65536"] },
      'policy.listen[0]: "a:65536" is no listen address; write "127.0.0.1:8080", "[::1]:8080" or "0.0.0.0:8080"',
    ],
    [
      { neverWake: { networks: ["10.0.0.0/33"] } },
      'policy.neverWake.networks[0]: "10.0.0.0/33" is no address or network; write for example "10.1.2.3", "10.0.0.0/8" or "fd00::/8"',
    ],
    [
      { dependsOn: ["a b"] },
      'policy.dependsOn[0]: "a b" is no resource; write "scaler/namespace/name", or the name of one beside this',
    ],
    [{ wakeTimeout: "0" }, "policy.wakeTimeout: must be longer than 0"],
    [{ maxHeld: -1 }, "policy.maxHeld: must be at least 0"],
    [{ releaseConcurrency: 0 }, "policy.releaseConcurrency: must be above 0"],
    [{ readiness: { path: "/", status: 99 } }, "policy.readiness.status: must be at least 100"],
    [
      { routing: "directly" },
      'policy.routing: "directly" is not known here; did you mean "direct"? Known: "auto", "direct", "always"',
    ],
    [{ target: { value: 1 } }, "policy.target.metric: is missing; give a text"],
    [{ target: { metric: "cpu", value: 0 } }, "policy.target.value: must be at least 0.000001"],
    [
      { target: { metric: "cpu", value: 1, tolerence: 0 } },
      'policy.target.tolerence: is no known key; did you mean "tolerance"?',
    ],
    [
      { target: { metric: "cpu", value: 80, tolerance: 10 } },
      "policy.target.tolerance: is no share below 1, as a relative tolerance has to be; write for example 0.1, or toleranceKind: absolute",
    ],
    [{ maxReplicas: 0 }, "policy.maxReplicas: must be above 0"],
    [{ minReplicas: -1 }, "policy.minReplicas: must be at least 0"],
    [{ scaleDown: { policies: [] } }, "policy.scaleDown.policies: must have at least 1 entry"],
    [{ scaleUp: { stabilizationWindow: "2h" } }, "policy.scaleUp.stabilizationWindow: is too long; write at most 1h"],
    [
      { scaleUp: { policies: [{ type: "pod", value: 1, period: "15s" }] } },
      'policy.scaleUp.policies[0].type: "pod" is not known here; did you mean "pods"? Known: "pods", "percent"',
    ],
    ["5m", "policy: must be a mapping of keys, not a text"],
    [[], "policy: must be a mapping of keys, not a list"],
  ])("refuses %j", (raw, line) => {
    expect(linesOf(raw)).toEqual([line]);
  });
});
