import { isIPv4, isIPv6 } from "node:net";
import { z } from "zod";

/** An IP address, or a network in CIDR notation such as `10.0.0.0/8` or `fd00::/8`. */
export const networkSchema = z.string().refine(isNetwork, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is no address or network; write for example "10.1.2.3", "10.0.0.0/8" or "fd00::/8"`,
});

function isNetwork(text: string): boolean {
  const [address = "", prefix, ...more] = text.split("/");
  const longest = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  if (longest < 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= longest);
}
