import { createServer } from "node:net";
import { acceptsConnection, addressesOf } from "./accepts-connection.ts";
import { systemErrorCode } from "./system-error-code.ts";

/**
 * Whether nobody listens on a port of this machine, seen from `host`; for `localhost` from both loopback addresses.
 * Binding finds what Linux would refuse to share; macOS shares a port between a wildcard and an address, where only a
 * dial finds the other.
 */
export async function isPortFree(port: number, host = "localhost"): Promise<boolean> {
  for (const address of addressesOf(host)) if (await isBound(address, port)) return false;
  return !(await acceptsConnection(host, port));
}

/** Other reasons than an occupied port (no IPv6, a port below 1024) are left for the process to meet. */
function isBound(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(systemErrorCode(error) === "EADDRINUSE"));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(false)));
  });
}
