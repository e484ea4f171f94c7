import { createServer } from "node:net";

/**
 * Below the ports that the kernel gives to whoever asks for any, and below those that scaler-process gives to services:
 * who closes such a port and counts on it later must not find it taken.
 */
const range = { from: 14_000, to: 19_999 };

let next = range.from + Math.floor(Math.random() * (range.to - range.from));

/** A port that is free now on every address of IPv4, and that nobody is given without asking for it. Each time another. */
export async function freePort(): Promise<number> {
  for (let tries = range.from; tries <= range.to; tries += 1) {
    next = next >= range.to ? range.from : next + 1;
    const port = next; // others may ask meanwhile
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${String(range.from)} to ${String(range.to)}`);
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "0.0.0.0", () => server.close(() => resolve(true)));
  });
}
