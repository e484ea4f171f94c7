import { describe, expect, it } from "vitest";
import { apiPath, describeCall, describeRule, toApiCall } from "./api-call.ts";
import { isExpired, toKubeError, toStatusError } from "./kube-error.ts";

const patch = toApiCall("PATCH", "/apis/apps/v1/namespaces/shop/deployments/web");
const list = toApiCall("GET", "/api/v1/pods");

describe("a failed call", () => {
  it.each([
    [400, {}, "SCALER_BAD_ARGUMENT", false],
    [401, {}, "SCALER_FORBIDDEN", false],
    [403, { reason: "Forbidden" }, "SCALER_FORBIDDEN", false],
    [403, { message: "pods is forbidden: exceeded quota: small" }, "SCALER_QUOTA", true],
    [403, { details: { causes: [{ reason: "NamespaceTerminating" }] } }, "SCALER_NOT_FOUND", false],
    [404, { reason: "NotFound" }, "SCALER_NOT_FOUND", false],
    [405, {}, "SCALER_UNSUPPORTED", false],
    [409, { reason: "Conflict" }, "SCALER_CONFLICT", true],
    [409, { reason: "AlreadyExists" }, "SCALER_CONFLICT", true],
    [410, { reason: "Expired" }, "SCALER_CONFLICT", true],
    [415, {}, "SCALER_UNSUPPORTED", false],
    [422, { reason: "Invalid" }, "SCALER_BAD_ARGUMENT", false],
    [429, { reason: "TooManyRequests" }, "SCALER_RATE_LIMITED", true],
    [500, { reason: "InternalError" }, "SCALER_UNAVAILABLE", true],
    [500, { reason: "ServerTimeout" }, "SCALER_TIMEOUT", true],
    [503, {}, "SCALER_UNAVAILABLE", true],
    [504, { reason: "Timeout" }, "SCALER_TIMEOUT", true],
    [302, {}, "SCALER_UNAVAILABLE", true],
    [418, {}, "SCALER_BAD_ARGUMENT", false],
  ] as const)("with %d and %j is %s, retryable %s", (status, said, code, retryable) => {
    const error = toStatusError(patch, status, JSON.stringify({ kind: "Status", ...said }));
    expect(error).toMatchObject({ code, retryable, status });
    expect(error.mayHaveHappened).toBe(status >= 500);
  });

  it("names verb, resource and namespace, and the rule that would grant it", () => {
    const error = toStatusError(patch, 403, JSON.stringify({ message: "denied" }));
    expect(error.message).toBe(
      'Kubernetes refused to patch deployments.apps "web" in namespace "shop" with 403: denied; this rule would grant it: ' +
        'apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"] in a Role of namespace "shop"',
    );
    expect(toStatusError(list, 403, "").message).toContain(
      'apiGroups: [""], resources: ["pods"], verbs: ["list"] in a ClusterRole',
    );
    expect(toStatusError(list, 401, "").message).toContain("renew the token or certificate");
  });

  it.each([
    ["a number of seconds", "7", {}, 7_000],
    ["a date", "Tue, 14 Nov 2023 22:13:30 GMT", {}, 10_000],
    ["the Status object", undefined, { details: { retryAfterSeconds: 3 } }, 3_000],
    ["nothing", undefined, {}, 5_000],
  ])("waits as %s says", (_, header, said, ms) => {
    const error = toStatusError(list, 429, JSON.stringify(said), { header, now: 1_700_000_000_000 });
    expect(error.retryAfterMs).toBe(ms);
  });

  it("in a watch has the code of its event", () => {
    const error = toStatusError(list, 200, { kind: "Status", code: 410, reason: "Expired", message: "too old" });
    expect(error).toMatchObject({ code: "SCALER_CONFLICT", status: 410 });
    expect(isExpired(error)).toBe(true);
    expect(isExpired(toStatusError(list, 409, ""))).toBe(false);
    expect(toStatusError(list, 200, "?")).toMatchObject({ code: "SCALER_UNAVAILABLE", retryable: true });
  });

  it.each([
    ["ECONNREFUSED", false],
    ["ENOTFOUND", false],
    ["UND_ERR_CONNECT_TIMEOUT", false],
    ["CERT_HAS_EXPIRED", false],
    ["ECONNRESET", true],
    ["UND_ERR_SOCKET", true],
  ])("by %s: a write may have happened is %s", (code, may) => {
    const socket = Object.assign(new Error("socket"), { code });
    expect(toKubeError(socket, patch)).toMatchObject({
      code: "SCALER_UNAVAILABLE",
      retryable: true,
      mayHaveHappened: may,
    });
    expect(toKubeError(socket, list)).toMatchObject({ mayHaveHappened: false });
    expect(toKubeError(new AggregateError([socket], "all"), patch)).toMatchObject({ mayHaveHappened: may });
  });

  it("by a certificate says where to look", () => {
    const error = toKubeError(Object.assign(new Error("x"), { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" }), list);
    expect(error.message).toContain("check the certificate authority");
  });
});

describe("a call", () => {
  it.each([
    ["GET", "/api/v1/namespaces/shop/pods", {}, 'list pods in namespace "shop"'],
    ["GET", "/api/v1/pods", { watch: true }, "watch pods in all namespaces"],
    ["GET", "/api/v1/namespaces", {}, "list namespaces in all namespaces"],
    ["DELETE", "/api/v1/namespaces/shop/pods", {}, 'deletecollection pods in namespace "shop"'],
    ["POST", "/api/v1/namespaces/shop/pods/p/binding", {}, 'create pods/binding "p" in namespace "shop"'],
    [
      "PUT",
      "/apis/coordination.k8s.io/v1/namespaces/n/leases/l",
      {},
      'update leases.coordination.k8s.io "l" in namespace "n"',
    ],
    ["GET", "/version", {}, "get /version"],
    ["GET", "/apis", {}, "get /apis"],
  ])("%s %s is %s", (method, path, query, text) => {
    expect(describeCall(toApiCall(method, path, query))).toBe(text);
  });

  it("outside resources needs a rule for its path", () => {
    expect(describeRule(toApiCall("GET", "/version"))).toBe(
      'nonResourceURLs: ["/version"], verbs: ["get"] in a ClusterRole',
    );
  });

  it.each([
    [apiPath("v1", "pods"), "/api/v1/pods"],
    [apiPath("apps/v1", "deployments", { namespace: "shop" }), "/apis/apps/v1/namespaces/shop/deployments"],
    [
      apiPath("v1", "pods", { namespace: "a/b", name: "c", subresource: "status" }),
      "/api/v1/namespaces/a%2Fb/pods/c/status",
    ],
  ])("has the path %s", (path, expected) => {
    expect(path).toBe(expected);
  });
});
