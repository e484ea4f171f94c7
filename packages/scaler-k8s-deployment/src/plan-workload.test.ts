import { defaultPolicy } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { service, workload, type WorkloadParts } from "../test/objects.ts";
import type { ServiceObject } from "./objects.ts";
import { type PlanSurroundings, planWorkload, type WorkloadPlan } from "./plan-workload.ts";
import { readRoute } from "./route-record.ts";
import type { Workload } from "./workload.ts";

interface Choice extends Partial<PlanSurroundings> {
  readonly others?: readonly Workload[];
}

function plan(
  parts: WorkloadParts = {},
  services: readonly ServiceObject[] = [service("web")],
  choice: Choice = {},
): WorkloadPlan {
  const own = workload("web", parts);
  const { others = [], ...more } = choice;
  const routeOf = ({ metadata }: ServiceObject) => readRoute(metadata);
  return planWorkload(own, { services, workloads: [own, ...others], routeOf, defaults: defaultPolicy, ...more });
}

const annotated = (annotations: Readonly<Record<string, string>>, services?: readonly ServiceObject[]) =>
  plan({ annotations }, services);

describe("a workload with a Service", () => {
  it("is managed, with the Service's ports as they are in its pods", () => {
    const found = plan();
    expect(found.refusal).toBeUndefined();
    expect(found).toMatchObject({ policy: { enabled: true, routing: "auto" }, drains: true });
    expect(found.service?.metadata.name).toBe("web");
    expect(found.ports).toEqual([{ port: { name: "http", number: 8080, protocol: "http" }, sliceName: "http" }]);
  });

  it("is not where it does not ask to be", () => {
    const found = annotated({ "dormouse.dev/enabled": "false", "dormouse.dev/idle-after": "nonsense" });
    expect(found.refusal).toBeUndefined();
    expect(found.policy.enabled).toBe(false);
  });

  it("takes the ordinary one beside a headless one", () => {
    const services = [service("web-peers", { clusterIP: "None", selector: { app: "web" } }), service("web")];
    expect(plan({ kind: "StatefulSet" }, services).service?.metadata.name).toBe("web");
  });

  it("takes the one that it names", () => {
    const services = [service("web"), service("web-too", { selector: { app: "web" } })];
    expect(annotated({ "dormouse.dev/service": " web-too " }, services).service?.metadata.name).toBe("web-too");
  });

  it("is managed while its selector has the extra key, which no pod matches", () => {
    const found = plan({}, [service("web", { selector: { app: "web", "dormouse.dev/diverted": "true" } })]);
    expect(found.refusal).toBeUndefined();
    expect(found.service).toBeDefined();
  });

  it("may have ports that a DLX cannot serve, and may stay in the traffic, with direct routing", () => {
    const ports = [
      { name: "http", port: 80, targetPort: 8080 },
      { name: "dns", port: 53, protocol: "UDP" },
    ];
    const annotations = { "dormouse.dev/routing": "direct", "dormouse.dev/drain": "none" };
    const found = annotated(annotations, [service("web", { ports })]);
    expect(found.refusal).toBeUndefined();
    expect(found).toMatchObject({ drains: false, policy: { enabled: true, routing: "direct" } });
  });
});

describe("a workload without a Service", () => {
  it("is managed by its hosts, always by way of the DLX, with the ports of its containers", () => {
    const found = plan({ annotations: { "dormouse.dev/hosts": "web.example.com" } }, []);
    expect(found.refusal).toBeUndefined();
    expect(found.policy).toMatchObject({ enabled: true, routing: "always" });
    expect(found.ports.map(({ port }) => port)).toEqual([{ name: "web", number: 8080, protocol: "http" }]);
  });
});

const local = (field: "internalTrafficPolicy" | "externalTrafficPolicy") => [service("web", { [field]: "Local" })];

describe("a workload is refused, and told why", () => {
  it.each<[string, () => WorkloadPlan, string]>([
    [
      "by KEDA",
      () => plan({}, undefined, { scaledObject: "by-queue" }),
      "the KEDA ScaledObject by-queue scales it already; remove one of the two",
    ],
    [
      "without a Service",
      () => plan({}, []),
      "no Service selects its pods; name one by dormouse.dev/service, or give hosts by dormouse.dev/hosts",
    ],
    [
      "with a Service that is not there",
      () => annotated({ "dormouse.dev/service": "gone" }),
      'there is no Service "gone" in shop; correct dormouse.dev/service',
    ],
    [
      "with a Service of others",
      () => annotated({ "dormouse.dev/service": "api" }, [service("api")]),
      "the selector of Service api does not match the labels of its pods; correct one of them",
    ],
    [
      "with several Services",
      () => plan({}, [service("web"), service("also", { selector: { app: "web" } })]),
      "several Services select its pods: also, web; name one by dormouse.dev/service",
    ],
    [
      "beside another workload",
      () =>
        plan({ labels: { tier: "front" } }, [service("web", { selector: { tier: "front" } })], {
          others: [workload("db", { kind: "StatefulSet", labels: { tier: "front" } })],
        }),
      "Service web also selects the pods of StatefulSet statefulset:db; give each workload a Service of its own",
    ],
    [
      "headless",
      () => plan({}, [service("web", { clusterIP: "None" })]),
      "Service web is headless: its clients go to the pods themselves; add one with a ClusterIP",
    ],
    [
      "as an ExternalName",
      () => annotated({ "dormouse.dev/service": "web" }, [service("web", { type: "ExternalName" })]),
      "Service web is an ExternalName: its traffic is not the cluster's to divert; use one with a ClusterIP",
    ],
    [
      "local inside",
      () => plan({}, local("internalTrafficPolicy")),
      "Service web has internalTrafficPolicy Local: nodes without a DLX would refuse its traffic; set it to Cluster",
    ],
    [
      "local outside",
      () => plan({}, local("externalTrafficPolicy")),
      "Service web has externalTrafficPolicy Local: nodes without a DLX would refuse its traffic; set it to Cluster",
    ],
    [
      "without a TCP port",
      () => plan({}, [service("web", { ports: [{ name: "dns", port: 53, protocol: "UDP" }] })]),
      "Service web has no TCP port",
    ],
    [
      "with a port's name that nobody has",
      () => plan({}, [service("web", { ports: [{ name: "http", port: 80, targetPort: "main" }] })]),
      'port http of Service web leads to "main", and no container has a port of that name',
    ],
    [
      "with ports that are no HTTP",
      () => plan({}, [service("web", { ports: [{ name: "sql", port: 5432, appProtocol: "postgresql" }] })]),
      "Service web has no port that takes HTTP/1.1, only sql (TCP that is not HTTP/1.1): nothing could wake it",
    ],
    [
      "with ports of another protocol beside",
      () =>
        plan({}, [
          service("web", {
            ports: [
              { name: "http", port: 80 },
              { name: "media", port: 90, protocol: "SCTP" },
              { name: "grpc", port: 91 },
            ],
          }),
        ]),
      "Service web has ports that a DLX cannot serve: media (SCTP), grpc (TCP that is not HTTP/1.1); move them to a Service of their own, with dormouse.dev/service here, or set dormouse.dev/routing: direct, with which they fail only while it sleeps",
    ],
    [
      "with containers that declare none",
      () => plan({ annotations: { "dormouse.dev/hosts": "a.example.com" }, containers: [{ name: "main" }] }, []),
      "its containers declare no TCP port; declare one, or add a Service",
    ],
    [
      "with a port that it does not have",
      () => annotated({ "dormouse.dev/port": "admin" }),
      'dormouse.dev/port: there is no port "admin"; it has http',
    ],
    [
      "with a drain that is none",
      () => annotated({ "dormouse.dev/drain": "later" }),
      'dormouse.dev/drain: "later" is neither "selector" nor "none"',
    ],
    [
      "with pods that stay in the traffic, unseen",
      () => annotated({ "dormouse.dev/drain": "none" }),
      "dormouse.dev/drain: none needs dormouse.dev/routing: direct: else the Service would go on sending traffic past the DLX, unseen; add it, or remove this",
    ],
  ])("%s", (_, make, message) => {
    const found = make();
    expect(found.refusal).toEqual({ code: "SCALER_BAD_OPTIONS", message });
    expect(found.policy.enabled).toBe(false);
  });

  it.each([
    ["dormouse.dev/idle-after", "5"],
    ["dormouse.dev/idle-after", "soon"],
    ["dormouse.dev/idle-rules", "[{"],
    ["dormouse.dev/idle-afer", "5m"],
    ["dormouse.dev/routing", "sideways"],
    ["dormouse.dev/hosts", "not a host"],
  ])("with %s: %s, by the place of it", (key, value) => {
    const message = annotated({ [key]: value }).refusal?.message ?? "";
    expect(message).toContain("Deployment shop/web");
    expect(message).toContain(key);
  });
});

describe("a workload that is refused while its traffic is diverted", () => {
  const record = { "dormouse.dev/route": "dlx uid-web 17" };
  const diverted = service(
    "web",
    { selector: { app: "web", "dormouse.dev/diverted": "true" } },
    { annotations: record },
  );

  it.each([
    ["two Services", () => plan({}, [diverted, service("also", { selector: { app: "web" } })])],
    ["a name that leads nowhere", () => annotated({ "dormouse.dev/service": "gone" }, [diverted])],
    ["a wrong annotation", () => annotated({ "dormouse.dev/idle-after": "5" }, [diverted])],
  ])("keeps its Service and ports, so that it can be woken: %s", (_, make) => {
    const found = make();
    expect(found.refusal).toBeDefined();
    expect(found.service?.metadata.name).toBe("web");
    expect(found.ports).toHaveLength(1);
  });

  it("does not take the Service that another one sleeps behind", () => {
    const other = workload("db", { labels: { app: "web" } });
    const own = plan({}, [diverted], { others: [other] });
    const routeOf = ({ metadata }: ServiceObject) => readRoute(metadata);
    const theirs = planWorkload(other, {
      services: [diverted],
      workloads: [workload("web"), other],
      routeOf,
      defaults: defaultPolicy,
    });
    expect(own.service).toBeDefined();
    expect(theirs.refusal).toBeDefined();
    expect(theirs.service).toBeUndefined();
  });
});
