import type { InspectedContainer } from "./docker-answers.ts";
import type { DockerOptions } from "./docker-options.ts";

/** Where containers are dialled. */
export interface Reach {
  readonly by: DockerOptions["reach"];
  /** The only network that counts; undefined: the first with an address. */
  readonly network: string | undefined;
  /** Where ports of the engine's machine are dialled. */
  readonly hostAddress: string;
}

/** An address to dial, or why there is none. */
export type Address = { readonly host: string; readonly port: number } | { readonly missing: string };

/** Where a running container takes connections for one of its ports. */
export function addressOf(container: InspectedContainer, port: number, reach: Reach): Address {
  // It has the machine's own addresses, and no published ports.
  if (container.HostConfig.NetworkMode === "host") return { host: reach.hostAddress, port };
  return reach.by === "published" ? publishedAddress(container, port, reach) : networkAddress(container, port, reach);
}

function networkAddress({ NetworkSettings }: InspectedContainer, port: number, { network }: Reach): Address {
  const networks = Object.entries(NetworkSettings.Networks).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const found = networks
    .filter(([name]) => network === undefined || name === network)
    .map(([, { IPAddress, GlobalIPv6Address }]) => (IPAddress === "" ? GlobalIPv6Address : IPAddress))
    .find((address) => address !== "");
  if (found !== undefined) return { host: found, port };
  return { missing: network === undefined ? "it is on no network" : `it has no address on the network ${network}` };
}

function publishedAddress({ NetworkSettings }: InspectedContainer, port: number, { hostAddress }: Reach): Address {
  const [binding] = NetworkSettings.Ports[`${String(port)}/tcp`] ?? [];
  const published = Number(binding?.HostPort ?? 0);
  if (binding === undefined || published === 0) {
    return { missing: `its port ${String(port)} is not published; publish it, or set reach: network` };
  }
  const isEverywhere = ["", "0.0.0.0", "::"].includes(binding.HostIp);
  return { host: isEverywhere ? hostAddress : binding.HostIp, port: published };
}
