import type { IncomingHttpHeaders } from "node:http";
import { formatRef, type Route } from "@dormouse/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RouteTable } from "./route-table.ts";

function route(name: string, match: Partial<Route>): Route {
  return { ref: { scaler: "local", namespace: "default", name }, origin: `test of ${name}`, ...match };
}

function find(
  routes: readonly Route[],
  host: string | undefined,
  path: string,
  headers: IncomingHttpHeaders = {},
): string | undefined {
  return new RouteTable(routes).match(host, path, headers)?.route.ref.name;
}

describe("RouteTable, hosts", () => {
  const routes = [
    route("app", { host: "app.example.com" }),
    route("upper", { host: "UPPER.example.com" }),
    route("wild", { host: "*.example.com" }),
    route("deep", { host: "*.eu.example.com" }),
  ];

  it.each([
    ["app.example.com", "app"],
    ["APP.Example.COM", "app"],
    ["app.example.com:8080", "app"],
    ["app.example.com.", "app"],
    ["app.example.com.:80", "app"],
    ["upper.example.com", "upper"],
    ["other.example.com", "wild"],
    ["x.y.example.com", "wild"],
    ["x.eu.example.com", "deep"],
    ["a.b.eu.example.com", "deep"],
    ["eu.example.com", "wild"],
    ["example.com", undefined],
    ["badexample.com", undefined],
    ["example.com.evil.org", undefined],
    [".example.com", undefined],
    ["", undefined],
    ["app.example.com/path", undefined],
    ["user@app.example.com", undefined],
  ])("leads %j to %j", (host, name) => {
    expect(find(routes, host, "/")).toBe(name);
  });

  it("gives a request without a host to a route without one only", () => {
    expect(find(routes, undefined, "/")).toBeUndefined();
    expect(find([...routes, route("rest", { pathPrefix: "/" })], undefined, "/")).toBe("rest");
  });

  it("finds the same route again for an authority it has seen", () => {
    const table = new RouteTable(routes);
    for (let i = 0; i < 3; i += 1) expect(table.match("App.example.com:1", "/", {})?.route.ref.name).toBe("app");
  });

  it("forgets authorities once it remembers too many, and still finds", () => {
    const table = new RouteTable(routes);
    for (let i = 0; i < 2_500; i += 1) expect(table.match(`h${i}.example.com`, "/", {})?.route.ref.name).toBe("wild");
    expect(table.match("app.example.com", "/", {})?.route.ref.name).toBe("app");
  });
});

describe("RouteTable, paths", () => {
  const routes = [
    route("root", { host: "h" }),
    route("a", { host: "h", pathPrefix: "/a" }),
    route("slash", { host: "h", pathPrefix: "/s/" }),
    route("ab", { host: "h", pathPrefix: "/a/b" }),
  ];

  it.each([
    ["/", "root"],
    ["/a", "a"],
    ["/a/", "a"],
    ["/a?x=/a/b", "a"],
    ["/a/c", "a"],
    ["/ab", "root"],
    ["/a/b", "ab"],
    ["/a/b/", "ab"],
    ["/a/b/c/d?e", "ab"],
    ["/a/bc", "a"],
    ["/s", "slash"],
    ["/s/", "slash"],
    ["/s/x", "slash"],
    ["/sx", "root"],
    ["/A", "root"],
    ["//a", "root"],
    ["/?/a", "root"],
  ])("leads %j to %j", (path, name) => {
    expect(find(routes, "h", path)).toBe(name);
  });

  it("answers quickly for a path of nothing but slashes", () => {
    const table = new RouteTable(routes);
    const path = "/".repeat(16_000);
    const started = performance.now();
    for (let i = 0; i < 1_000; i += 1) expect(table.match("h", path, {})?.route.ref.name).toBe("root");
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe("RouteTable, whole paths", () => {
  const routes = [
    route("prefix", { host: "h", pathPrefix: "/a" }),
    route("whole", { host: "h", path: "/a/b" }),
    route("slash", { host: "h", path: "/s/" }),
    route("beta", { host: "h", path: "/a/c", headers: { "x-version": "beta" } }),
    route("alone", { host: "g", path: "/" }),
  ];

  it.each([
    ["h", "/a/b", "whole"],
    ["h", "/a/b?x=1", "whole"],
    ["h", "/a/b/", "prefix"],
    ["h", "/a/b/c", "prefix"],
    ["h", "/s/", "slash"],
    ["h", "/s", undefined],
    ["h", "/a/c", "prefix"],
    ["g", "/", "alone"],
    ["g", "/?", "alone"],
    ["g", "/x", undefined],
  ])("leads %s%s to %j", (host, path, name) => {
    expect(find(routes, host, path)).toBe(name);
  });

  it("looks at their headers, and stands beside the prefix of the same text", () => {
    expect(find(routes, "h", "/a/c", { "x-version": "beta" })).toBe("beta");
    const both = [route("prefix", { pathPrefix: "/a" }), route("whole", { path: "/a" })];
    expect(new RouteTable(both).size).toBe(2);
    expect([find(both, "h", "/a"), find(both, "h", "/a/")]).toEqual(["whole", "prefix"]);
  });
});

describe("RouteTable, headers", () => {
  const routes = [
    route("plain", { host: "h", pathPrefix: "/a" }),
    route("beta", { host: "h", pathPrefix: "/a/b", headers: { "x-version": "beta" } }),
    route("both", { host: "h", pathPrefix: "/a/b", headers: { "x-version": "beta", "X-Region": "eu" } }),
  ];

  it("takes the route with more headers first", () => {
    expect(find(routes, "h", "/a/b", { "x-version": "beta", "x-region": "eu" })).toBe("both");
    expect(find(routes, "h", "/a/b", { "x-version": "beta" })).toBe("beta");
  });

  it("falls back to a shorter prefix on the same host where the headers differ", () => {
    expect(find(routes, "h", "/a/b/c", { "x-version": "stable" })).toBe("plain");
    expect(find(routes, "h", "/a/b/c")).toBe("plain");
  });

  it("finds none where nothing is left to fall back to", () => {
    expect(find(routes, "h", "/b", { "x-version": "beta" })).toBeUndefined();
  });

  it("never reads an upstream from a header", () => {
    const headers = { "x-forwarded-host": "h", "x-original-host": "h", forwarded: "host=h" };
    expect(find(routes, "other", "/a", headers)).toBeUndefined();
  });
});

describe("RouteTable, equal routes", () => {
  it("keeps the first of two", () => {
    const routes = [route("one", { host: "h", pathPrefix: "/a/" }), route("two", { host: "H.", pathPrefix: "/a" })];
    expect(find(routes, "h", "/a")).toBe("one");
    expect(new RouteTable(routes).size).toBe(1);
  });

  it("leaves dedicated listeners to others", () => {
    expect(find([route("one", { listen: "127.0.0.1:1" })], "h", "/")).toBeUndefined();
  });
});

const label = fc.constantFrom("a", "b", "example", "com");
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const host = fc.oneof(
  name,
  name.map((text) => `*.${text}`),
);
const segment = fc.constantFrom("a", "b", "ab", "");
const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join("/")}`);
const headers = fc.dictionary(fc.constantFrom("x-a", "x-b"), fc.constantFrom("1", "2"), {
  maxKeys: 2,
  noNullPrototype: true,
});
const anyRoute = fc.record({
  host: fc.option(host, { nil: undefined }),
  pathPrefix: fc.option(path, { nil: undefined }),
  path: fc.option(path, { nil: undefined, freq: 2 }),
  headers,
});
const casing = fc.constantFrom(
  (text: string) => text,
  (text: string) => text.toUpperCase(),
  (text: string) => `${text}:8080`,
  (text: string) => `${text}.`,
);

/** Tries every route by the words of the documentation. */
function oracle(routes: readonly Route[], host: string, path: string, headers: IncomingHttpHeaders): Route | undefined {
  const rank = (one: Route): readonly number[] => [
    one.host === undefined ? 0 : one.host.startsWith("*.") ? one.host.length : 1_000,
    one.path === undefined ? 0 : 1,
    (one.pathPrefix ?? "/").replace(/\/+$/, "").length,
    Object.keys(one.headers ?? {}).length,
  ];
  const isMoreSpecific = (one: Route, other: Route): boolean => {
    const [a, b] = [rank(one), rank(other)];
    const first = a.findIndex((value, index) => value !== b[index]);
    return first >= 0 && (a[first] ?? 0) > (b[first] ?? 0);
  };
  const matches = (one: Route): boolean => {
    const prefix = (one.pathPrefix ?? "/").replace(/\/+$/, "");
    const isHost =
      one.host === undefined || one.host === host || (one.host.startsWith("*.") && host.endsWith(one.host.slice(1)));
    const isPath = one.path !== undefined ? path === one.path : path === prefix || path.startsWith(`${prefix}/`);
    return isHost && isPath && Object.entries(one.headers ?? {}).every(([key, value]) => headers[key] === value);
  };
  let best: Route | undefined;
  for (const one of routes) if (matches(one) && (best === undefined || isMoreSpecific(one, best))) best = one;
  return best;
}

describe("RouteTable against a naive search", () => {
  it("always finds the same route", () => {
    fc.assert(
      fc.property(
        fc.array(anyRoute, { maxLength: 12 }),
        name,
        casing,
        path,
        headers,
        (specs, host, cased, path, headers) => {
          const routes = specs.map(({ host, pathPrefix, path, headers }, index) =>
            route(`r${index}`, {
              headers,
              ...(host !== undefined && { host }),
              ...(path === undefined && pathPrefix !== undefined && { pathPrefix }),
              ...(path !== undefined && { path }),
            }),
          );
          const found = new RouteTable(routes).match(cased(host), `${path}?q=/a/b`, headers);
          const expected = oracle(routes, host, path, headers);
          expect(found?.key).toBe(expected === undefined ? undefined : formatRef(expected.ref));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it("survives any text as host and path", () => {
    const table = new RouteTable([route("a", { host: "*.example.com" }), route("b", { pathPrefix: "/x/y" })]);
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 400 }),
        fc.string({ unit: "binary", maxLength: 400 }),
        (host, path) => {
          expect(table.match(host, `/${path}`, {})?.route.ref.name).not.toBe("c");
        },
      ),
    );
  });
});
