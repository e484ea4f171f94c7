import getPort, { portNumbers } from "get-port";

/**
 * Below the ports that the kernel gives to outgoing connections: a service that sleeps does not hold its port, and must
 * find it free when it wakes.
 */
const range = { from: 10_000, to: 13_999 };

/** A port of 127.0.0.1 that nobody listens on, each time another. */
export async function freePort(): Promise<number> {
  const from = range.from + Math.floor(Math.random() * 3_000);
  return getPort({ port: portNumbers(from, range.to), host: "127.0.0.1" });
}
