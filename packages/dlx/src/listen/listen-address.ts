import type { AddressInfo } from "node:net";

/** Reads `host:port` or `[v6]:port`; the form has been checked by the configuration's schema. */
export function toListenOptions(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(address.slice(colon + 1)) };
}

/** A bound address as text, in the same form. */
export function formatAddress({ address, port }: AddressInfo): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
