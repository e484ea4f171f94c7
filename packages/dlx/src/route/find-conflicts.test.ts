import type { Route } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { describeConflict, findConflicts } from "./find-conflicts.ts";

function route(name: string, match: Partial<Route>): Route {
  return { ref: { scaler: "local", namespace: "default", name }, origin: `policy of ${name}`, ...match };
}

describe("findConflicts", () => {
  it("names both resources and where they were written", () => {
    const [conflict, ...more] = findConflicts([
      route("one", { host: "App.example.com" }),
      route("two", { host: "app.example.com." }),
    ]);
    expect(more).toEqual([]);
    expect(describeConflict(conflict!)).toBe(
      "app.example.com/ leads to local/default/one (policy of one) and to local/default/two (policy of two)",
    );
  });

  it.each([
    ["a prefix with and without its slash", { host: "h", pathPrefix: "/a" }, { host: "h", pathPrefix: "/a/" }],
    ["no prefix and /", { host: "h" }, { host: "h", pathPrefix: "/" }],
    ["headers in another order and case", { headers: { A: "1", b: "2" } }, { headers: { B: "2", a: "1" } }],
    ["one listener", { listen: "127.0.0.1:9000" }, { listen: "127.0.0.1:9000" }],
    ["one host, other ports", { host: "h", port: "a" }, { host: "h", port: "b" }],
  ])("finds %s", (_name, one, two) => {
    expect(findConflicts([route("one", one), route("two", two)])).toHaveLength(1);
  });

  it.each([
    ["other hosts", { host: "h" }, { host: "g" }],
    ["a host and a wildcard", { host: "a.h" }, { host: "*.h" }],
    ["other prefixes", { host: "h", pathPrefix: "/a" }, { host: "h", pathPrefix: "/b" }],
    ["other header values", { host: "h", headers: { a: "1" } }, { host: "h", headers: { a: "2" } }],
    ["a listener and a host", { listen: "127.0.0.1:9000" }, { host: "h" }],
  ])("lets %s stand side by side", (_name, one, two) => {
    expect(findConflicts([route("one", one), route("two", two)])).toEqual([]);
  });

  it("takes the same resource twice for no conflict", () => {
    expect(findConflicts([route("one", { host: "h" }), route("one", { host: "H" })])).toEqual([]);
  });

  it("keeps the first and lists all others", () => {
    const routes = ["one", "two", "three"].map((name) => route(name, { host: "h" }));
    const [conflict] = findConflicts(routes);
    expect(conflict?.kept).toBe(routes[0]);
    expect(conflict?.left).toEqual(routes.slice(1));
  });
});
