import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Networks by address and prefix length; an IPv4 address that came as IPv6 counts as IPv4. */
export class Networks {
  readonly #networks: readonly (readonly [Address, number])[];

  /** @param texts addresses and CIDR networks; what is neither matches nothing */
  constructor(texts: readonly string[]) {
    this.#networks = texts.flatMap((text) => toNetwork(text) ?? []);
  }

  get isEmpty(): boolean {
    return this.#networks.length === 0;
  }

  /** @param text an IP address; anything else is in no network */
  has(text: string): boolean {
    if (this.#networks.length === 0 || isIP(text) === 0) return false;
    const address = ipaddr.process(text);
    return this.#networks.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits));
  }
}

function toNetwork(text: string): [readonly [Address, number]] | undefined {
  const [address = "", bits] = text.split("/");
  if (isIP(address) === 0) return undefined;
  const parsed = ipaddr.parse(address);
  const mapped = parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress();
  const network = mapped ? parsed.toIPv4Address() : parsed;
  const longest = network.kind() === "ipv4" ? 32 : 128;
  const length = bits === undefined ? longest : Number(bits) - (mapped ? 96 : 0);
  return Number.isInteger(length) && length >= 0 && length <= longest ? [[network, length]] : undefined;
}
