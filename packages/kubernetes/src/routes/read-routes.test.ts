import { describe, expect, it } from "vitest";
import type { Pair } from "../workloads/pair-services.ts";
import { toBackends } from "./backends.ts";
import { type HttpRoute, readHttpRoute } from "./http-route-routes.ts";
import { type Ingress, readIngress } from "./ingress-routes.ts";

function pair(name: string, service: string, kind: "Deployment" | "StatefulSet" = "Deployment"): Pair {
  const ports = [
    { name: "http", port: 80 },
    { name: "metrics", port: 9090 },
  ];
  return {
    workload: { kind, namespace: "shop", name, enabled: true, service: undefined, labels: {} },
    service: {
      namespace: "shop",
      name: service,
      selector: [],
      isHeadless: false,
      ports: service === "bare" ? [{ port: 8080 }] : ports,
    },
  };
}

const backends = toBackends([pair("web", "front"), pair("db", "bare", "StatefulSet"), pair("api", "api")], "k8s");
const web = { ref: { scaler: "k8s", namespace: "shop", name: "web" }, port: "http" };
const api = { ref: { scaler: "k8s", namespace: "shop", name: "api" }, port: "http" };
const db = { ref: { scaler: "k8s", namespace: "shop", name: "statefulset:db" }, port: "8080" };

describe("the routes of an Ingress", () => {
  const origin = "Ingress shop/site";
  const read = (spec: NonNullable<Ingress["spec"]>) =>
    readIngress({ metadata: { name: "site", namespace: "shop" }, spec }, backends);
  const front = { service: { name: "front", port: { number: 80 } } };

  it("have its hosts and paths", () => {
    const { routes } = read({
      rules: [
        {
          host: "Shop.example.com",
          http: {
            paths: [
              { path: "/", pathType: "Prefix", backend: front },
              { path: "/cart", pathType: "Prefix", backend: { service: { name: "api", port: { name: "http" } } } },
              { path: "/health", pathType: "Exact", backend: front },
              { path: "/old", pathType: "ImplementationSpecific", backend: front },
              { pathType: "ImplementationSpecific", backend: front },
            ],
          },
        },
        { host: "*.example.com", http: { paths: [{ path: "/", pathType: "Exact", backend: front }] } },
        { http: { paths: [{ path: "/any/", pathType: "Prefix", backend: front }] } },
      ],
    });
    expect(routes).toEqual([
      { ...web, host: "Shop.example.com", origin },
      { ...api, host: "Shop.example.com", pathPrefix: "/cart", origin },
      { ...web, host: "Shop.example.com", path: "/health", origin },
      { ...web, host: "Shop.example.com", pathPrefix: "/old", origin },
      { ...web, host: "Shop.example.com", origin },
      { ...web, host: "*.example.com", path: "/", origin },
      { ...web, pathPrefix: "/any/", origin },
    ]);
  });

  it("have its default backend for what nothing else matches", () => {
    expect(read({ defaultBackend: front }).routes).toEqual([{ ...web, origin }]);
  });

  it("name ports as the Service does, by number where they have no name", () => {
    const backend = (name: string, port: object) => read({ defaultBackend: { service: { name, port } } }).routes;
    expect(backend("front", { name: "metrics" })).toEqual([{ ...web, port: "metrics", origin }]);
    expect(backend("front", { number: 9090 })).toEqual([{ ...web, port: "metrics", origin }]);
    expect(backend("bare", { number: 8080 })).toEqual([{ ...db, origin }]);
    expect(backend("front", { number: 81 })).toEqual([]);
    expect(backend("front", { name: "grpc" })).toEqual([]);
    expect(backend("front", {})).toEqual([]);
  });

  it("are none where the backend is nobody's", () => {
    expect(read({ defaultBackend: { service: { name: "other", port: { number: 80 } } } }).routes).toEqual([]);
    expect(read({ defaultBackend: {} }).routes).toEqual([]);
    expect(read({ rules: [{ host: "h" }, { host: "h", http: { paths: null } }] }).routes).toEqual([]);
    const elsewhere = { metadata: { name: "site", namespace: "back" }, spec: { defaultBackend: front } };
    expect(readIngress(elsewhere, backends).routes).toEqual([]);
  });

  it("leave out a controller's patterns, and say so", () => {
    const path = { path: "/api/(v1|v2)/.*", pathType: "ImplementationSpecific", backend: front };
    expect(read({ rules: [{ host: "h", http: { paths: [path] } }] })).toEqual({
      routes: [],
      skipped: ["Ingress shop/site: /api/(v1|v2)/.* is a pattern, which no route can say"],
    });
  });
});

describe("the routes of an HTTPRoute", () => {
  const origin = "HTTPRoute shop/site";
  const read = (spec: NonNullable<HttpRoute["spec"]>) =>
    readHttpRoute({ metadata: { name: "site", namespace: "shop" }, spec }, backends);
  const front = [{ name: "front", port: 80 }];

  it("have each host with each match", () => {
    const { routes, skipped } = read({
      hostnames: ["a.example", "*.b.example"],
      rules: [
        {
          matches: [
            { path: { type: "PathPrefix", value: "/shop" } },
            { path: { type: "Exact", value: "/" }, headers: [{ name: "X-Version", value: "beta" }] },
          ],
          backendRefs: front,
        },
      ],
    });
    const beta = { path: "/", headers: { "x-version": "beta" } };
    expect(routes).toEqual([
      { ...web, host: "a.example", pathPrefix: "/shop", origin },
      { ...web, host: "*.b.example", pathPrefix: "/shop", origin },
      { ...web, host: "a.example", ...beta, origin },
      { ...web, host: "*.b.example", ...beta, origin },
    ]);
    expect(skipped).toEqual([]);
  });

  it("are for any host and path where it names none", () => {
    expect(read({ rules: [{ backendRefs: front }] }).routes).toEqual([{ ...web, origin }]);
    expect(read({ rules: [{ backendRefs: front, matches: [{}] }] }).routes).toEqual([{ ...web, origin }]);
    expect(read({ rules: [{}] }).routes).toEqual([]);
    expect(read({}).routes).toEqual([]);
  });

  it("take the first of two values of one header", () => {
    const headers = [
      { name: "X-A", value: "1" },
      { name: "x-a", value: "2" },
    ];
    const rule = { matches: [{ headers }], backendRefs: front };
    expect(read({ rules: [rule] }).routes).toEqual([{ ...web, headers: { "x-a": "1" }, origin }]);
  });

  it.each([
    ["method GET", { method: "GET" }],
    ["query parameters", { queryParams: [{ name: "a", value: "1" }] }],
    ["the pattern /a.*", { path: { type: "RegularExpression", value: "/a.*" } }],
    ["a pattern of the header X", { headers: [{ type: "RegularExpression", name: "X", value: ".*" }] }],
  ])("leave out what matches by %s, and say so", (what, match) => {
    const rule = { matches: [match, { path: { value: "/b" } }], backendRefs: front };
    expect(read({ rules: [rule] })).toEqual({
      routes: [{ ...web, pathPrefix: "/b", origin }],
      skipped: [`HTTPRoute shop/site: rule 0 matches by ${what}`],
    });
  });

  it("lead to one workload only: what a rule parts is the gateway's", () => {
    const parted = [
      { name: "front", port: 80, weight: 9 },
      { name: "api", port: 80 },
    ];
    expect(read({ rules: [{ backendRefs: parted }] })).toEqual({
      routes: [],
      skipped: ["HTTPRoute shop/site: rule 0 parts its traffic between several workloads"],
    });
    const off = [
      { name: "front", port: 80 },
      { name: "api", port: 80, weight: 0 },
    ];
    expect(read({ rules: [{ backendRefs: off }] }).routes).toEqual([{ ...web, origin }]);
    const foreign = [
      { name: "front", port: 80 },
      { name: "other", port: 80 },
    ];
    expect(read({ rules: [{ backendRefs: foreign }] }).routes).toEqual([]);
  });

  it.each([
    ["in another namespace", { name: "front", port: 80, namespace: "back" }],
    ["of another kind", { name: "front", port: 80, kind: "Bucket" }],
    ["of another group", { name: "front", port: 80, group: "storage.example" }],
    ["without a port", { name: "front" }],
    ["that is nobody's", { name: "other", port: 80 }],
  ])("lead nowhere where the backend is one %s", (_, ref) => {
    expect(read({ rules: [{ backendRefs: [ref] }] })).toEqual({ routes: [], skipped: [] });
  });
});
