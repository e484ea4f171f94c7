import type { InspectedContainer, NetworkEndpoint } from "./docker-answers.ts";
import type { Labels } from "./docker-labels.ts";

/** What a new container is made of. */
export interface ContainerSpec {
  readonly name: string;
  /** Body of the engine's `POST /containers/create`. */
  readonly body: object;
  /** Networks that it is connected to after its making, which engines before 25 take no more than one of. */
  readonly networks: readonly (readonly [name: string, settings: object])[];
}

/** In what a new container differs from the one that it is made after. */
export interface SpecDifferences {
  readonly name: string;
  readonly image: string;
  /** All of its labels. */
  readonly labels: Labels;
  /** It runs beside the other one, so that it cannot have the same addresses and host ports. */
  readonly isReplica: boolean;
}

/**
 * A container like another one. Everything of its configuration is taken over as the engine tells it, known here or
 * not; left out is only what belongs to the one container: its id as host name and alias, its anonymous volumes, and
 * for a replica fixed addresses and ports of the host.
 */
export function toContainerSpec(template: InspectedContainer, differences: SpecDifferences): ContainerSpec {
  const { name, image, labels, isReplica } = differences;
  const { Config, HostConfig } = template;
  const [main, ...others] = networksOf(template, differences);
  const sharesNetwork = HostConfig.NetworkMode.startsWith("container:");
  const { Hostname, MacAddress: _mac, ExposedPorts, Volumes, ...config } = Config;
  const { volumes, binds } = splitBinds(HostConfig["Binds"]);
  return {
    name,
    networks: others,
    body: {
      ...config,
      Image: image,
      Labels: labels,
      Volumes: { ...(Volumes as object | undefined), ...volumes },
      ...(Hostname !== "" && Hostname !== shortId(template) && !sharesNetwork && { Hostname }),
      ...(!sharesNetwork && ExposedPorts !== undefined && { ExposedPorts }),
      HostConfig: {
        ...HostConfig,
        ContainerIDFile: "",
        Binds: binds,
        ...(isReplica && { PortBindings: withoutHostPorts(HostConfig["PortBindings"]) }),
      },
      ...(main !== undefined && { NetworkingConfig: { EndpointsConfig: { [main[0]]: main[1] } } }),
    },
  };
}

type NamedSettings = readonly [name: string, settings: object];

/** The network of its mode first, then the others. */
function networksOf(template: InspectedContainer, differences: SpecDifferences): readonly NamedSettings[] {
  const mode = template.HostConfig.NetworkMode;
  if (/^(host|none)$|^container:/.test(mode)) return [];
  const main = mode === "default" || mode === "" ? "bridge" : mode;
  const named = Object.entries(template.NetworkSettings.Networks).map(([name, endpoint]): NamedSettings => [
    name,
    settingsOf(endpoint, template, differences),
  ]);
  return named.toSorted(([one], [other]) => Number(other === main) - Number(one === main));
}

function settingsOf(
  { Aliases, Links, DriverOpts, IPAMConfig }: NetworkEndpoint,
  template: InspectedContainer,
  { name, isReplica }: SpecDifferences,
): object {
  const aliases = Aliases.filter((alias) => alias !== shortId(template)).map((alias) =>
    alias === template.Name ? name : alias,
  );
  return {
    ...(aliases.length > 0 && { Aliases: aliases }),
    ...(isThere(Links) && { Links }),
    ...(isThere(DriverOpts) && { DriverOpts }),
    ...(!isReplica && isThere(IPAMConfig) && { IPAMConfig }),
  };
}

/** Names that the engine gives to volumes which nobody named. */
const anonymous = /^[0-9a-f]{64}:([^:]+)/;

/** Compose binds anonymous volumes by their names when it makes a container anew; here each container has its own. */
function splitBinds(binds: unknown): { readonly binds: readonly string[]; readonly volumes: Record<string, object> } {
  const all = Array.isArray(binds) ? binds.filter((bind) => typeof bind === "string") : [];
  const paths = all.flatMap((bind) => anonymous.exec(bind)?.[1] ?? []);
  return {
    binds: all.filter((bind) => !anonymous.test(bind)),
    volumes: Object.fromEntries(paths.map((path) => [path, {}])),
  };
}

/** The same ports, on any free ones of the host. */
function withoutHostPorts(bindings: unknown): object {
  if (typeof bindings !== "object" || bindings === null) return {};
  return Object.fromEntries(
    Object.entries(bindings).map(([port, places]) => [
      port,
      Array.isArray(places) ? places.map((place: object) => ({ ...place, HostPort: "" })) : places,
    ]),
  );
}

function shortId({ Id }: InspectedContainer): string {
  return Id.slice(0, 12);
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}
