import { describe, expect, it } from "vitest";
import { service, workload } from "../test/objects.ts";
import { otherPorts, portsOfContainers, portsOfService, probeOf } from "./ports-of.ts";

describe("the ports of a Service", () => {
  it("have the numbers of the pods: by number, by name, or the Service's own", () => {
    const ports = [
      { name: "http", port: 80, targetPort: 8080 },
      { name: "named", port: 81, targetPort: "web" },
      { name: "same", port: 82 },
    ];
    const found = portsOfService(service("web", { ports }), workload("web"));
    expect(found.ports.map(({ port }) => port.number)).toEqual([8080, 8080, 82]);
    expect(found.problem).toBeUndefined();
  });

  it("have the number for a name where there is none, and an empty one in slices", () => {
    const found = portsOfService(service("web", { ports: [{ port: 80 }] }), workload("web"));
    expect(found.ports).toEqual([{ port: { name: "80", number: 80, protocol: "http" }, sliceName: "" }]);
  });

  it.each([
    [{ name: "http" }, "http"],
    [{ name: "grpc" }, "h2c"],
    [{ name: "grpc-web" }, "h2c"],
    [{ name: "http2" }, "h2c"],
    [{ name: "x", appProtocol: "kubernetes.io/h2c" }, "h2c"],
    [{ name: "redis" }, "tcp"],
    [{ name: "tcp-custom" }, "tcp"],
    [{ name: "redis", appProtocol: "http" }, "http"],
    [{ name: "tcpdump" }, "http"],
  ])("speak what %j says", (named, protocol) => {
    const found = portsOfService(service("web", { ports: [{ ...named, port: 80 }] }), workload("web"));
    expect(found.ports[0]?.port.protocol).toBe(protocol);
  });

  it("that are right are there beside one that is wrong", () => {
    const ports = [
      { name: "bad", port: 1, targetPort: "nobody" },
      { name: "http", port: 80, targetPort: 8080 },
    ];
    const found = portsOfService(service("web", { ports }), workload("web"));
    expect(found.ports.map(({ sliceName }) => sliceName)).toEqual(["http"]);
    expect(found.problem).toMatch(/port bad of Service web/);
  });

  it("that no DLX can serve are told apart", () => {
    const ports = [
      { name: "http", port: 80 },
      { name: "dns", port: 53, protocol: "UDP" },
      { port: 5432, appProtocol: "postgresql" },
    ];
    expect(otherPorts(service("web", { ports }))).toEqual(["dns (UDP)", "5432 (TCP that is not HTTP/1.1)"]);
  });
});

describe("the ports of containers", () => {
  it("are those of TCP, each name once", () => {
    const containers = [
      { name: "a", ports: [{ containerPort: 8080 }, { name: "dns", containerPort: 53, protocol: "UDP" }] },
      {
        name: "b",
        ports: [
          { name: "admin", containerPort: 9000 },
          { name: "admin", containerPort: 9001 },
        ],
      },
    ];
    const found = portsOfContainers(workload("web", { containers }));
    expect(found.ports.map(({ port }) => `${port.name}=${String(port.number)}`)).toEqual(["8080=8080", "admin=9001"]);
  });
});

describe("the readiness probe", () => {
  const probed = (httpGet: object, more: object = {}) =>
    workload("web", {
      containers: [
        {
          name: "sidecar",
          ports: [{ name: "proxy", containerPort: 15_000 }],
          readinessProbe: { httpGet: { path: "/no", port: 15_000 } },
        },
        {
          name: "main",
          ports: [{ name: "web", containerPort: 8080 }],
          readinessProbe: { httpGet: { port: "web", ...httpGet } },
          ...more,
        },
      ],
    });

  it("is that of the container that has the port", () => {
    expect(probeOf(probed({ path: "/healthz" }), 8080)).toEqual({ path: "/healthz" });
    expect(probeOf(probed({ path: "/healthz" }), 15_000)).toEqual({ path: "/no" });
  });

  it("has a port of its own where it differs, headers, and a path that begins with a slash", () => {
    const httpHeaders = [{ name: "X-Probe", value: "1" }];
    expect(probeOf(probed({ path: "ready", port: 9000, httpHeaders }), 8080)).toEqual({
      path: "/ready",
      port: 9000,
      headers: { "X-Probe": "1" },
    });
    expect(probeOf(probed({}), 8080)).toEqual({ path: "/" });
  });

  it.each([
    ["over TLS", { scheme: "HTTPS" }],
    ["at a port of no container", { port: "nobody" }],
  ])("is not ours to run: %s", (_, httpGet) => expect(probeOf(probed(httpGet), 8080)).toBeUndefined());

  it("is none where there is none", () => expect(probeOf(workload("web"), 8080)).toBeUndefined());
});
