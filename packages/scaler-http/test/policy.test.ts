import { defaultPolicy, isConfigError } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { httpOptions } from "../src/http-options.ts";
import { readConfigured } from "../src/read-configured.ts";

const app = { name: "app", url: "http://localhost:8123" };
const targets = ["127.0.0.1:3000"];

function read(resource: object) {
  return readConfigured(httpOptions.parse({ resources: [{ ...app, ...resource }] }), defaultPolicy)[0];
}

function issuesOf(resource: object): readonly string[] {
  try {
    read(resource);
    return [];
  } catch (error) {
    if (!isConfigError(error)) throw error;
    return error.issues.map(({ place, problem }) => `${place} ${problem}`);
  }
}

describe("the policy of a resource behind HTTP", () => {
  it("is enabled where it is configured", () => {
    expect(read({})?.policy.enabled).toBe(true);
    expect(read({ policy: { enabled: false } })?.policy.enabled).toBe(false);
  });

  it.each([
    [{}, 1],
    [{ minimum: 3 }, 3],
    [{ minimum: 0 }, 0],
  ])("of %j has the API's minimum for the fewest replicas, %i", (resource, minReplicas) => {
    expect(read(resource)?.policy).toMatchObject({ minReplicas });
  });

  it("may not allow fewer replicas than the API takes", () => {
    expect(issuesOf({ policy: { minReplicas: 0 } })).toEqual([
      "resources[0].policy.minReplicas is below what the API takes, which is 1 (minimum)",
    ]);
    expect(issuesOf({ minimum: 0, policy: { minReplicas: 0 } })).toEqual([]);
    expect(read({ policy: { minReplicas: 5 } })?.policy.minReplicas).toBe(5);
  });

  it.each(["hosts", "listen", "pathPrefix", "headers"])("may not route by %s where there are no targets", (key) => {
    const value = { hosts: ["a.localhost"], listen: ["127.0.0.1:1"], pathPrefix: "/a", headers: { a: "b" } }[key];
    const policy = { [key]: value };
    expect(issuesOf({ policy })).toEqual([
      `resources[0].policy.${key} routes requests to a resource that has no targets`,
    ]);
    expect(issuesOf({ policy, targets })).toEqual([]);
  });

  it("may name the one port that there is", () => {
    expect(issuesOf({ policy: { port: "http" } })).toEqual([]);
    expect(issuesOf({ policy: { port: "grpc" } })).toEqual(["resources[0].policy.port is no port of this resource"]);
  });

  it("is read by core, which names what is wrong", () => {
    expect(issuesOf({ policy: { idleAftr: "5m" } })[0]).toContain("resources[0].policy.idleAftr is no known key");
  });

  it("wakes to the configured count, else to the fewest that the API takes", () => {
    expect([read({})?.replicas, read({ minimum: 3 })?.replicas, read({ replicas: 2 })?.replicas]).toEqual([1, 3, 2]);
    expect(read({ minimum: 0 })?.replicas).toBe(1);
  });
});
