import {
  type CatalogEntry,
  defaultPolicy,
  type GuardedScaler,
  type Policy,
  type Resource,
  ResourceCatalog,
  silentLogger,
} from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { describe, expect, it } from "vitest";
import { fromResources, policyRoutes, portRoutes } from "./resource-routes.ts";

function resource(name: string, policy: Partial<Policy>, ready = 0, ports: Resource["ports"] = []): Resource {
  return {
    ref: { namespace: "default", name },
    desired: ready,
    ready,
    wakeReplicas: 1,
    version: "1",
    ports,
    policy: { ...defaultPolicy, enabled: true, ...policy },
    createdAt: 0,
    updatedAt: 0,
  };
}

function entry(policy: Partial<Policy>): CatalogEntry {
  const ref = { scaler: "local", namespace: "default", name: "app" };
  const scaler = {} as GuardedScaler;
  return {
    ref,
    key: "local/default/app",
    scaler,
    resource: resource("app", policy),
    state: { kind: "asleep", since: 0 },
  };
}

describe("policyRoutes", () => {
  const ref = { scaler: "local", namespace: "default", name: "app" };
  const origin = "policy of local/default/app";

  it("gives one route for each host, with path, headers and port", () => {
    const routes = policyRoutes(
      entry({ hosts: ["a.example", "b.example"], pathPrefix: "/x", headers: { "X-A": "1" }, port: "web" }),
    );
    const rest = { ref, origin, port: "web", pathPrefix: "/x", headers: { "x-a": "1" } };
    expect(routes).toEqual([
      { ...rest, host: "a.example" },
      { ...rest, host: "b.example" },
    ]);
  });

  it("gives a route for any host where there is only a path or headers", () => {
    expect(policyRoutes(entry({ pathPrefix: "/x" }))).toEqual([{ ref, origin, pathPrefix: "/x" }]);
    expect(policyRoutes(entry({ headers: { a: "1" } }))).toEqual([{ ref, origin, headers: { a: "1" } }]);
  });

  it("gives a route for each dedicated listener, free of the other conditions", () => {
    expect(policyRoutes(entry({ hosts: ["a"], listen: ["127.0.0.1:9000"] }))).toEqual([
      { ref, origin, host: "a" },
      { ref, origin, listen: "127.0.0.1:9000" },
    ]);
  });

  it("gives none to a resource that has not opted in", () => {
    expect(policyRoutes(entry({ enabled: false, hosts: ["a"], listen: ["127.0.0.1:9000"] }))).toEqual([]);
  });

  it("gives none where a policy asks for none", () => {
    expect(policyRoutes(entry({}))).toEqual([]);
  });
});

describe("portRoutes", () => {
  const ports = [
    { name: "http", number: 80, protocol: "http", listen: "0.0.0.0:20000" },
    { name: "admin", number: 81, protocol: "http", listen: "0.0.0.0:20001" },
    { name: "inner", number: 82, protocol: "tcp" },
  ] as const;

  it.each([true, false])("gives a listener for each port that has one, opted in: %s", (enabled) => {
    const asked = entry({});
    expect(portRoutes({ ...asked, resource: resource("app", { enabled }, 0, ports) })).toEqual([
      { ref: asked.ref, port: "http", listen: "0.0.0.0:20000", origin: "port http of local/default/app" },
      { ref: asked.ref, port: "admin", listen: "0.0.0.0:20001", origin: "port admin of local/default/app" },
    ]);
  });
});

describe("fromResources", () => {
  function openCatalog(): { catalog: ResourceCatalog; set: (one: Resource) => void; clock: FakeClock } {
    const clock = new FakeClock();
    const scaler = {
      id: "local",
      capabilities: { replicas: "one", watch: false, routing: false, compareAndSet: true, settleWithinMs: 0 },
      listResources: async () => [resource("one", { hosts: ["one"] })],
    } as unknown as GuardedScaler;
    const catalog = new ResourceCatalog({ clock, logger: silentLogger });
    catalog.follow(scaler);
    return { catalog, clock, set: (one) => catalog.beginObservation(scaler, one.ref)(one) };
  }

  it("gives a new list for a change of routes, and none for a change of status", async () => {
    const { catalog, clock, set } = openCatalog();
    await clock.advance(0);
    const abort = new AbortController();
    const lists = fromResources(catalog).watchRoutes({ signal: abort.signal })[Symbol.asyncIterator]();
    const hosts = async (): Promise<readonly (string | undefined)[]> => {
      const { value } = (await lists.next()) as { value: readonly { host?: string }[] };
      return value.map((route) => route.host);
    };
    expect(await hosts()).toEqual(["one"]);
    const next = hosts();
    set(resource("one", { hosts: ["one"] }, 1));
    set(resource("two", { hosts: ["two", "deux"] }));
    expect(await next).toEqual(["one", "two", "deux"]);
    const last = lists.next();
    abort.abort();
    expect(await last).toEqual({ done: true, value: undefined });
    await catalog[Symbol.asyncDispose]();
  });

  it("gives a new list where a port gets another listener, also of a resource that has not opted in", async () => {
    const { catalog, clock, set } = openCatalog();
    await clock.advance(0);
    const lists = fromResources(catalog).watchRoutes()[Symbol.asyncIterator]();
    await lists.next();
    const port = { name: "http", number: 80, protocol: "http" } as const;
    for (const listen of ["0.0.0.0:20000", "0.0.0.0:20007"]) {
      const next = lists.next();
      set(resource("one", { enabled: false }, 0, [{ ...port, listen }]));
      expect((await next).value).toEqual([expect.objectContaining({ port: "http", listen })]);
    }
    await lists.return?.();
    await catalog[Symbol.asyncDispose]();
  });

  it("leaves out what is gone", async () => {
    const { catalog, clock } = openCatalog();
    await clock.advance(0);
    const lists = fromResources(catalog).watchRoutes()[Symbol.asyncIterator]();
    expect((await lists.next()).value).toHaveLength(1);
    const next = lists.next();
    await catalog.unfollow("local");
    expect((await next).value).toEqual([]);
    await lists.return?.();
  });
});
