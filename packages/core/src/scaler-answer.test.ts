import { describe, expect, it } from "vitest";
import type { Resource, Target } from "./resource-scaler.ts";
import { openScripted, someResource } from "./testing/scripted-plugin.ts";

const web = { namespace: "default", name: "web" };
const target: Target = { id: "1", host: "127.0.0.1", port: 80 };
const nonsense = (value: unknown): never => value as never;

describe("a plugin's nonsense is refused by name", () => {
  it.each<[unknown, string]>([
    [undefined, "the answer must be a list, not undefined"],
    [{}, "the answer must be a list, not an object"],
    [[null], "[0] must be an object, not null"],
    [[{ ...someResource, ref: "web" }], '[0].ref must be an object, not "web"'],
    [
      [{ ...someResource, ref: { namespace: "a/b", name: "x" } }],
      '[0].ref.namespace must be 1 to 253 of A-Z a-z 0-9 . _ : -, not "a/b"',
    ],
    [
      [{ ...someResource, ref: { namespace: "a" } }],
      "[0].ref.name must be 1 to 253 of A-Z a-z 0-9 . _ : -, not undefined",
    ],
    [[{ ...someResource, desired: -1 }], "[0].desired must be a whole number of at least 0, not -1"],
    [[{ ...someResource, ready: 0.5 }], "[0].ready must be a whole number of at least 0, not 0.5"],
    [[{ ...someResource, wakeReplicas: 0 }], "[0].wakeReplicas must be a whole number of at least 1, not 0"],
    [[{ ...someResource, version: 7 }], "[0].version must be a text that is not empty, not 7"],
    [[{ ...someResource, version: "" }], '[0].version must be a text that is not empty, not ""'],
    [[{ ...someResource, createdAt: new Date(0) }], "[0].createdAt must be epoch milliseconds, not an object"],
    [[{ ...someResource, updatedAt: Number.NaN }], "[0].updatedAt must be epoch milliseconds, not NaN"],
    [
      [{ ...someResource, failure: { code: "E_NO", message: "x" } }],
      '[0].failure.code must be a code of the error table, not "E_NO"',
    ],
    [[{ ...someResource, failure: { code: "SCALER_QUOTA" } }], "[0].failure.message must be a text, not undefined"],
    [
      [{ ...someResource, refusal: { code: "SCALER_QUOTA" }, policy: { ...someResource.policy, enabled: false } }],
      "[0].refusal.message must be a text, not undefined",
    ],
    [
      [
        {
          ...someResource,
          refusal: { code: "SCALER_BAD_OPTIONS", message: "x" },
          policy: { ...someResource.policy, enabled: true },
        },
      ],
      "[0].policy.enabled must be false beside a refusal, not true",
    ],
    [[{ ...someResource, routedTo: "pods" }], '[0].routedTo must be "dlx", "resource" or left out, not "pods"'],
    [[{ ...someResource, ports: undefined }], "[0].ports must be a list, not undefined"],
    [
      [{ ...someResource, ports: [{ name: "", number: 80, protocol: "http" }] }],
      '[0].ports[0].name must be a text that is not empty, not ""',
    ],
    [
      [{ ...someResource, ports: [{ name: "a", number: 65_536, protocol: "http" }] }],
      "[0].ports[0].number must be a port number, not 65536",
    ],
    [
      [{ ...someResource, ports: [{ name: "a", number: 80, protocol: "https" }] }],
      '[0].ports[0].protocol must be "http", "h2c" or "tcp", not "https"',
    ],
    [
      [{ ...someResource, ports: [{ name: "a", number: 80, protocol: "http", listen: "20000" }] }],
      '[0].ports[0].listen must be host:port or left out, not "20000"',
    ],
    [
      [{ ...someResource, policy: { idleAfter: "5m" } }],
      "[0].policy.enabled must be a boolean, from parsePolicy, not undefined",
    ],
    [
      [{ ...someResource, policy: { ...someResource.policy, idleAfter: "5m" } }],
      '[0].policy.idleAfter must be a number, from parsePolicy, not "5m"',
    ],
    [
      [{ ...someResource, policy: { ...someResource.policy, hosts: "a" } }],
      '[0].policy.hosts must be a list, from parsePolicy, not "a"',
    ],
    [
      [someResource, { ...someResource, ref: { name: "api", namespace: "default" } }, { ...someResource, desired: 0 }],
      "[2].ref names default/web, which is in the list already",
    ],
  ])("listResources: %j", async (answer, problem) => {
    const { guarded } = await openScripted({ listResources: async () => nonsense(answer) });
    await expect(guarded.listResources()).rejects.toMatchObject({
      code: "SCALER_INTERNAL",
      message: `listResources of scaler "local" answered outside the contract: ${problem}`,
    });
  });

  it.each<[unknown, string]>([
    [null, "the answer must be an object, not null"],
    [{ ...someResource, desired: undefined }, "desired must be a whole number of at least 0, not undefined"],
    [
      { ...someResource, ref: { namespace: "default", name: "api" } },
      "ref names default/api, and default/web was asked for",
    ],
  ])("getResource: %j", async (answer, problem) => {
    const { guarded } = await openScripted({ getResource: async () => nonsense(answer) });
    await expect(guarded.getResource(web)).rejects.toMatchObject({
      code: "SCALER_INTERNAL",
      message: `getResource of scaler "local" answered outside the contract: ${problem}`,
    });
  });

  it.each<[unknown, string]>([
    [undefined, "the answer must be an object, not undefined"],
    ["v1", 'the answer must be an object, not "v1"'],
    [{}, "version must be a text that is not empty, not undefined"],
    [{ version: 5 }, "version must be a text that is not empty, not 5"],
  ])("setScale: %j", async (answer, problem) => {
    const { guarded } = await openScripted({ setScale: async () => nonsense(answer) });
    await expect(guarded.setScale(web, 1)).rejects.toMatchObject({
      code: "SCALER_INTERNAL",
      message: `setScale of scaler "local" answered outside the contract: ${problem}`,
    });
  });

  it.each<[unknown, string]>([
    [undefined, "the answer must be a list, not undefined"],
    [[undefined], "[0] must be an object, not undefined"],
    [[target, { ...target, id: "" }], '[1].id must be a text that is not empty, not ""'],
    [[{ ...target, host: 1 }], "[0].host must be a text that is not empty, not 1"],
    [[{ ...target, port: 0 }], "[0].port must be a port number, not 0"],
    [[{ ...target, port: "80" }], '[0].port must be a port number, not "80"'],
    [[{ ...target, probe: null }], "[0].probe must be an object, not null"],
    [[{ ...target, ready: "yes" }], '[0].ready must be true, false or left out, not "yes"'],
    [[{ ...target, probe: { path: "ready" } }], '[0].probe.path must be a path that begins with "/", not "ready"'],
    [[{ ...target, probe: { path: "/", port: 0 } }], "[0].probe.port must be a port number or left out, not 0"],
    [
      [{ ...target, probe: { path: "/", status: 99 } }],
      "[0].probe.status must be a status of 100 to 599 or left out, not 99",
    ],
    [
      [{ ...target, probe: { path: "/", headers: [] } }],
      "[0].probe.headers must be a mapping to texts or left out, not a list",
    ],
    [
      [{ ...target, probe: { path: "/", headers: { a: 1 } } }],
      "[0].probe.headers must be a mapping to texts or left out, not an object",
    ],
  ])("resolveTargets: %j", async (answer, problem) => {
    const { guarded } = await openScripted({ resolveTargets: async () => nonsense(answer) });
    await expect(guarded.resolveTargets(web, "http")).rejects.toMatchObject({
      code: "SCALER_INTERNAL",
      message: `resolveTargets of scaler "local" answered outside the contract: ${problem}`,
    });
  });

  it("shows no more than the beginning of a long value", async () => {
    const { guarded } = await openScripted({ setScale: async () => nonsense("x".repeat(10_000)) });
    await expect(guarded.setScale(web, 1)).rejects.toThrow(/^.{50,200}$/);
  });

  it("takes resources of every allowed form", async () => {
    const list: readonly Resource[] = [
      someResource,
      {
        ...someResource,
        ref: { namespace: "a", name: "statefulset:db" },
        desired: 0,
        ready: 3,
        failure: { code: "SCALER_QUOTA", message: "" },
        ports: [],
      },
    ];
    const { guarded } = await openScripted({ listResources: async () => list });
    expect(await guarded.listResources()).toBe(list);
  });
});
