import type { HttpProbe, ResourcePort } from "@dormouse/core";
import type { Container, ContainerPort, ServiceObject, ServicePort } from "./objects.ts";
import type { Workload } from "./workload.ts";

/** A port of a resource, and the port of the Service that leads to it. */
export interface RoutedPort {
  readonly port: Omit<ResourcePort, "listen">;
  /** Name that an EndpointSlice of the Service gives this port; empty for the only one without a name. */
  readonly sliceName: string;
}

/** The ports that requests can come by, and what is wrong with others. */
export interface FoundPorts {
  readonly ports: readonly RoutedPort[];
  readonly problem?: string;
}

/** The TCP ports of a workload's Service, with the numbers that they have in its pods. */
export function portsOfService(service: ServiceObject, workload: Workload): FoundPorts {
  const { name } = service.metadata;
  const tcp = (service.spec.ports ?? []).filter(({ protocol = "TCP" }) => protocol === "TCP");
  if (tcp.length === 0) return { ports: [], problem: `Service ${name} has no TCP port` };
  const ports: RoutedPort[] = [];
  let problem: string | undefined;
  for (const port of tcp) {
    const number = numberOf(port, containersOf(workload));
    if (number === undefined)
      problem ??= `port ${portName(port)} of Service ${name} leads to ${JSON.stringify(port.targetPort)}, and no container has a port of that name`;
    else ports.push({ port: { name: portName(port), number, protocol: protocolOf(port) }, sliceName: port.name ?? "" });
  }
  return problem === undefined ? { ports } : { ports, problem };
}

/**
 * Ports of a Service that no DLX can take the place of the pods at: other protocols than TCP, and TCP that is not HTTP.
 * As people know them, such as `dns (UDP)`.
 */
export function otherPorts({ spec }: ServiceObject): readonly string[] {
  return (spec.ports ?? []).flatMap((port) => {
    const { protocol = "TCP" } = port;
    if (protocol === "TCP" && protocolOf(port) === "http") return [];
    return `${portName(port)} (${protocol === "TCP" ? "TCP that is not HTTP/1.1" : protocol})`;
  });
}

/** The TCP ports that a workload's containers declare, for one without a Service. */
export function portsOfContainers(workload: Workload): FoundPorts {
  const declared = containersOf(workload)
    .flatMap(({ ports = [] }) => ports)
    .filter(isTcp);
  if (declared.length === 0)
    return { ports: [], problem: "its containers declare no TCP port; declare one, or add a Service" };
  const ports = declared.map((port) => ({
    port: {
      name: port.name ?? String(port.containerPort),
      number: port.containerPort,
      protocol: protocolOf({ ...(port.name !== undefined && { name: port.name }) }),
    },
    sliceName: "",
  }));
  return { ports: [...new Map(ports.map((each) => [each.port.name, each])).values()] };
}

/** The HTTP readiness probe of the container that has the port. One over TLS, by command or by gRPC is not ours to run. */
export function probeOf(workload: Workload, number: number): HttpProbe | undefined {
  const containers = containersOf(workload);
  const container =
    containers.find(({ ports = [] }) => ports.some(({ containerPort }) => containerPort === number)) ?? containers[0];
  const probe = container?.readinessProbe?.httpGet;
  if (container === undefined || probe === undefined || (probe.scheme ?? "HTTP").toUpperCase() !== "HTTP")
    return undefined;
  const port = typeof probe.port === "number" ? probe.port : portNamed(probe.port, [container]);
  if (port === undefined) return undefined;
  const path = probe.path ?? "/";
  const headers = Object.fromEntries((probe.httpHeaders ?? []).map((header) => [header.name, header.value]));
  return {
    path: path.startsWith("/") ? path : `/${path}`,
    ...(port !== number && { port }),
    ...(Object.keys(headers).length > 0 && { headers }),
  };
}

function numberOf({ targetPort, port }: ServicePort, containers: readonly Container[]): number | undefined {
  if (targetPort === undefined) return port;
  return typeof targetPort === "number" ? targetPort : portNamed(targetPort, containers);
}

function portNamed(name: string, containers: readonly Container[]): number | undefined {
  return containers.flatMap(({ ports = [] }) => ports).find((port) => port.name === name && isTcp(port))?.containerPort;
}

function portName({ name, port }: ServicePort): string {
  return name ?? String(port);
}

/** By `appProtocol`, else by the beginning of the name, as service meshes read it. */
function protocolOf({ name = "", appProtocol }: Pick<ServicePort, "name" | "appProtocol">): ResourcePort["protocol"] {
  const text = (appProtocol ?? name).toLowerCase();
  if (/^(kubernetes\.io\/h2c|h2c|grpc|http2)\b/.test(text)) return "h2c";
  return /^(tcp|tls|redis|postgres|postgresql|mysql|mongo|kafka|amqp)\b/.test(text) ? "tcp" : "http";
}

function containersOf({ spec }: Workload): readonly Container[] {
  return spec.template.spec?.containers ?? [];
}

function isTcp({ protocol = "TCP" }: ContainerPort): boolean {
  return protocol === "TCP";
}
