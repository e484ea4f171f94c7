import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isConfigError } from "./config-error.ts";
import { mergePolicy } from "./parse-policy.ts";
import { formatPolicyLabels } from "./format-policy-labels.ts";
import { parsePolicyLabels } from "./parse-policy-labels.ts";
import { defaultPolicy, type PartialPolicy, policySchema } from "./policy.ts";

const prefix = "dormouse.dev/";

function linesOf(labels: Readonly<Record<string, string>>, own?: readonly string[]): readonly string[] {
  try {
    parsePolicyLabels(labels, prefix, defaultPolicy, "web", own === undefined ? {} : { own });
  } catch (error) {
    if (isConfigError(error)) return error.message.split("\n");
    throw error;
  }
  throw new Error("the labels were taken");
}

/** Labels without their prefix, for short. */
function parse(labels: Readonly<Record<string, string>>): PartialPolicy {
  return parsePolicyLabels(
    Object.fromEntries(Object.entries(labels).map(([key, value]) => [prefix + key, value])),
    prefix,
    defaultPolicy,
    "web",
  );
}

describe("parsePolicyLabels", () => {
  it("reads every kind of key", () => {
    expect(
      parse({
        enabled: "true",
        hosts: "App.example.com, *.example.org",
        "path-prefix": "/api",
        headers: '{"X-Tenant":"a,b"}',
        "idle-after": " 90s ",
        "idle-rules": '[{"metric":"requests","window":"5m","threshold":0}]',
        "max-held": "5000",
        routing: "always",
        "readiness-path": "/ready",
        "readiness-status": "204",
        "never-wake-paths": "/healthz,/static/*",
        "never-wake-user-agents": "kube-probe,Mozilla/5.0 (KHTML\\, like Gecko)",
        "depends-on": "db",
        listen: "[::1]:9000,127.0.0.1:9000",
        "target-metric": "cpu",
        "target-value": " 0.8 ",
        "scale-down-stabilization-window": "1m",
        "scale-down-policies": '[{"type":"pods","value":1,"period":"30s"}]',
        "flap-guard-reversals": "2",
        "max-replicas": "7",
      }),
    ).toEqual({
      ...defaultPolicy,
      enabled: true,
      hosts: ["app.example.com", "*.example.org"],
      pathPrefix: "/api",
      headers: { "x-tenant": "a,b" },
      idleAfter: 90_000,
      idleRules: [{ metric: "requests", window: 300_000, threshold: 0 }],
      maxHeld: 5_000,
      routing: "always",
      readiness: { path: "/ready", status: 204 },
      neverWake: {
        paths: ["/healthz", "/static/*"],
        userAgents: ["kube-probe", "Mozilla/5.0 (KHTML, like Gecko)"],
        networks: [],
        status: 200,
      },
      dependsOn: ["db"],
      listen: ["[::1]:9000", "127.0.0.1:9000"],
      target: {
        metric: "cpu",
        value: 0.8,
        valueKind: "average",
        tolerance: 0.1,
        toleranceKind: "relative",
        window: 60_000,
      },
      scaleDown: {
        stabilizationWindow: 60_000,
        selectPolicy: "max",
        policies: [{ type: "pods", value: 1, period: 30_000 }],
      },
      flapGuard: { reversals: 2, window: 600_000 },
      maxReplicas: 7,
    });
  });

  it("leaves the labels of others alone", () => {
    const labels = {
      app: "web",
      "dormouse.device/enabled": "true",
      "kubernetes.io/name": "x",
      "dormouse.dev/enabled": "true",
    };
    expect(parsePolicyLabels(labels, prefix, defaultPolicy, "web")).toEqual({ ...defaultPolicy, enabled: true });
  });

  it("finds keys in any case, as Azure keeps none", () => {
    expect(
      parsePolicyLabels({ "Dormouse-Idle-After": "1m", "DORMOUSE-ENABLED": "True" }, "dormouse-", defaultPolicy, "web"),
    ).toMatchObject({ idleAfter: 60_000, enabled: true });
  });

  it("leaves the platform's own keys under the prefix to its scaler", () => {
    const labels = { "dormouse.dev/service": "web", "dormouse.dev/epoch": "7", "dormouse.dev/enabled": "true" };
    expect(parsePolicyLabels(labels, prefix, defaultPolicy, "web", { own: ["service", "epoch"] }).enabled).toBe(true);
    expect(linesOf({ "dormouse.dev/servce": "web" }, ["service", "epoch"])).toEqual([
      'web: dormouse.dev/servce: is no known label; did you mean "dormouse.dev/service"?',
    ]);
  });

  it("takes an empty list for none", () => {
    const defaults = { ...defaultPolicy, hosts: ["a.b"] };
    expect(parsePolicyLabels({ "dormouse.dev/hosts": "" }, prefix, defaults, "").hosts).toEqual([]);
    expect(parse({ hosts: "a.b,, c.d ," })).toMatchObject({ hosts: ["a.b", "c.d"] });
  });

  it.each<[Readonly<Record<string, string>>, string]>([
    [
      { "dormouse.dev/idle-aftr": "5m" },
      'web: dormouse.dev/idle-aftr: is no known label; did you mean "dormouse.dev/idle-after"?',
    ],
    [
      { "dormouse.dev/idleAfter": "5m" },
      'web: dormouse.dev/idleAfter: is no known label; did you mean "dormouse.dev/idle-after"?',
    ],
    [{ "dormouse.dev/": "5m" }, "web: dormouse.dev/: is no known label"],
    [
      { "dormouse.dev/idle-after": "5" },
      'web: dormouse.dev/idle-after: "5" is no duration; write a number with its unit, such as "250ms", "90s", "5m", "1h", or 0',
    ],
    [{ "dormouse.dev/enabled": "yes" }, "web: dormouse.dev/enabled: must be true or false, not a text"],
    [{ "dormouse.dev/max-held": "many" }, "web: dormouse.dev/max-held: must be a number, not a text"],
    [{ "dormouse.dev/max-held": "1e3" }, "web: dormouse.dev/max-held: must be a number, not a text"],
    [
      { "dormouse.dev/hosts": "a.b,c d" },
      'web: dormouse.dev/hosts[1]: "c d" is no host; write a name such as "app.example.com" or "*.example.com", without scheme or port',
    ],
    [
      { "dormouse.dev/idle-rules": "[" },
      'web: dormouse.dev/idle-rules: is no JSON; write for example [{"metric":"requests","window":"5m","threshold":0}]',
    ],
    [
      { "dormouse.dev/idle-rules": '[{"metric":"x","window":"5m"}]' },
      "web: dormouse.dev/idle-rules[0].threshold: is missing; give a number",
    ],
    [{ "dormouse.dev/headers": "x=1" }, 'web: dormouse.dev/headers: is no JSON; write for example {"x-tenant":"blue"}'],
    [{ "dormouse.dev/target-value": "0.8" }, "web: dormouse.dev/target-metric: is missing; give a text"],
    [
      { "dormouse.dev/target-metric": "cpu", "dormouse.dev/target-value": "80%" },
      "web: dormouse.dev/target-value: must be a number, not a text",
    ],
    [
      { "dormouse.dev/scale-up-policies": "pods=4" },
      'web: dormouse.dev/scale-up-policies: is no JSON; write for example [{"type":"pods","value":4,"period":"15s"}]',
    ],
    [
      { "dormouse.dev/min-replicas": "3", "dormouse.dev/max-replicas": "2" },
      "web: dormouse.dev/max-replicas: is 2, less than minReplicas, which is 3; raise it, or lower minReplicas",
    ],
    [{ "dormouse.dev/readiness-status": "200" }, "web: dormouse.dev/readiness-path: is missing; give a text"],
    [
      { "dormouse.dev/never-wake-networks": "10.0.0.0/99" },
      'web: dormouse.dev/never-wake-networks[0]: "10.0.0.0/99" is no address or network; write for example "10.1.2.3", "10.0.0.0/8" or "fd00::/8"',
    ],
    [
      { "dormouse.dev/routing": "drect" },
      'web: dormouse.dev/routing: "drect" is not known here; did you mean "direct"? Known: "auto", "direct", "always"',
    ],
    [
      { "dormouse.dev/hosts": "a", "dormouse.dev/HOSTS": "b" },
      "web: dormouse.dev/HOSTS: says the same as dormouse.dev/hosts; keep one of them",
    ],
  ])("refuses %j", (labels, line) => {
    expect(linesOf(labels)).toEqual([line]);
  });

  it("names everything that is wrong at once", () => {
    expect(
      linesOf({ "dormouse.dev/a": "1", "dormouse.dev/headers": "x", "dormouse.dev/idle-after": "x" }),
    ).toHaveLength(3);
  });

  // `constructor` and the like are looked up by nobody.
  it.each(["__proto__", "constructor", "to-string"])("knows no label %j", (name) => {
    expect(linesOf(Object.fromEntries([[prefix + name, "x"]]))[0]).toContain("is no known label");
  });
});

const text = fc.string({
  minLength: 1,
  maxLength: 20,
  unit: fc.constantFrom("a", "b", ",", "\\", " ", '"', "[", "]", "é", "\t", "/"),
});
const durationMs = fc.integer({ min: 0, max: 1_000_000_000 });
const positiveMs = fc.integer({ min: 1, max: 1_000_000_000 });
const path = text.map((rest) => `/${rest}`);
const name = fc.stringMatching(/^[a-z0-9]{1,10}$/);
const status = fc.integer({ min: 200, max: 599 });
const withinHour = fc.integer({ min: 1, max: 3_600_000 });
const scalingRules = fc.record({
  stabilizationWindow: withinHour,
  selectPolicy: fc.constantFrom("max" as const, "min" as const, "disabled" as const),
  policies: fc.array(
    fc.record({
      type: fc.constantFrom("pods" as const, "percent" as const),
      value: fc.integer({ min: 1, max: 1_000 }),
      period: withinHour,
    }),
    { minLength: 1, maxLength: 5 },
  ),
});

const anyPolicy = fc
  .record(
    {
      enabled: fc.boolean(),
      hosts: fc.uniqueArray(
        fc.tuple(fc.boolean(), name, name).map(([wild, one, two]) => `${wild ? "*." : ""}${one}.${two}`),
      ),
      pathPrefix: path,
      headers: fc.dictionary(name, text),
      port: text,
      listen: fc.uniqueArray(fc.constantFrom("127.0.0.1:80", "[::1]:81", "a.b:82")),
      idleAfter: durationMs,
      streamIdleAfter: durationMs,
      idleRules: fc.array(
        fc.record(
          {
            metric: text,
            window: positiveMs,
            threshold: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
            source: text,
          },
          { requiredKeys: ["metric", "window", "threshold"] },
        ),
        { maxLength: 5 },
      ),
      routing: fc.constantFrom("auto" as const, "direct" as const, "always" as const),
      minAwake: durationMs,
      holdTimeout: durationMs,
      wakeTimeout: positiveMs,
      responseTimeout: durationMs,
      drainTimeout: positiveMs,
      maxHeld: fc.nat(),
      releaseConcurrency: fc.integer({ min: 1, max: 1_000 }),
      maxConcurrency: fc.nat(),
      readiness: fc.record({ path, status: fc.integer({ min: 100, max: 599 }) }, { requiredKeys: ["path"] }),
      waitingPage: fc.constantFrom("auto" as const, "never" as const),
      neverWake: fc.record({
        paths: fc.array(path),
        userAgents: fc.array(text),
        networks: fc.array(fc.constantFrom("10.0.0.0/8", "::1")),
        status,
      }),
      dependsOn: fc.uniqueArray(fc.constantFrom("db", "a/b", "a/b/statefulset:c")),
      sleep: fc.constantFrom("safe" as const, "best-effort" as const),
      target: fc.record(
        {
          metric: text,
          value: fc.double({ min: 0.000_001, max: 1e15, noNaN: true }),
          valueKind: fc.constantFrom("average" as const, "total" as const),
          tolerance: fc.double({ min: 0, max: 0.99, noNaN: true }),
          toleranceKind: fc.constantFrom("relative" as const, "absolute" as const),
          source: text,
          window: withinHour,
        },
        { requiredKeys: ["metric", "value", "valueKind", "tolerance", "toleranceKind", "window"] },
      ),
      minReplicas: fc.nat({ max: 50 }),
      maxReplicas: fc.integer({ min: 50, max: 1_000 }),
      scaleUp: scalingRules,
      scaleDown: scalingRules,
      cooldown: durationMs,
      flapGuard: fc.record({ reversals: fc.nat({ max: 100 }), window: withinHour }),
    },
    { requiredKeys: [] },
  )
  .map((policy) => policy as PartialPolicy);

describe("formatPolicyLabels", () => {
  it.each(["dormouse.dev/", "dormouse-"])("writes under %j what parsePolicyLabels reads, for any policy", (prefix) => {
    fc.assert(
      fc.property(anyPolicy, (own) => {
        const policy = mergePolicy(own, defaultPolicy);
        expect(parsePolicyLabels(formatPolicyLabels(policy, prefix), prefix, defaultPolicy, "")).toEqual(policy);
        expect(parsePolicyLabels(formatPolicyLabels(own, prefix), prefix, defaultPolicy, "")).toEqual(policy);
      }),
      { numRuns: 300 },
    );
  });

  it("generates every key above, so that none is forgotten", () => {
    const keys = new Set(fc.sample(anyPolicy, 200).flatMap((policy) => Object.keys(policy)));
    expect([...keys].toSorted()).toEqual(Object.keys(policySchema.shape).toSorted());
  });

  it("writes kebab-case keys, comma-separated lists and JSON", () => {
    const policy: PartialPolicy = {
      idleAfter: 90_000,
      hosts: ["a.b", "c.d"],
      neverWake: { paths: ["/a,b", " /c"], userAgents: [], networks: [], status: 200 },
      idleRules: [{ metric: "x", window: 60_000, threshold: 0 }],
    };
    expect(formatPolicyLabels(policy, prefix)).toEqual({
      "dormouse.dev/idle-after": "90s",
      "dormouse.dev/hosts": "a.b,c.d",
      "dormouse.dev/never-wake-paths": "/a\\,b,\\ /c",
      "dormouse.dev/never-wake-user-agents": "",
      "dormouse.dev/never-wake-networks": "",
      "dormouse.dev/never-wake-status": "200",
      "dormouse.dev/idle-rules": '[{"metric":"x","window":"1m","threshold":0}]',
    });
  });

  it("has names that every platform takes", () => {
    for (const name of Object.keys(formatPolicyLabels(fc.sample(anyPolicy, 1)[0]!, "dormouse-"))) {
      expect(name).toMatch(/^[a-z-]{1,63}$/);
    }
  });

  it("says which value is too long for the platform", () => {
    const hosts = Array.from({ length: 30 }, (_, index) => `host-${index}.example.com`);
    expect(() => formatPolicyLabels({ hosts, idleAfter: 1 }, "dormouse-", { longestValue: 256 })).toThrow(
      /^dormouse-hosts: needs \d+ characters, and the platform keeps 256; say less here, or put it in the scaler's options$/,
    );
    expect(formatPolicyLabels({ hosts: hosts.slice(0, 5) }, "dormouse-", { longestValue: 256 })).toHaveProperty(
      "dormouse-hosts",
    );
  });
});
