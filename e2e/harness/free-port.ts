import { createServer } from "node:net";

/** Below the ports that the kernel gives to outgoing connections, and below those that scaler-process gives to services. */
const range = { from: 14_000, to: 19_999 };

let next = range.from + Math.floor(Math.random() * (range.to - range.from));

/** A port on 127.0.0.1 that is free now, and that nobody is given without asking for it. */
export async function freePort(): Promise<number> {
  for (let tries = range.from; tries <= range.to; tries += 1) {
    next = next >= range.to ? range.from : next + 1;
    const port = next; // others may ask meanwhile
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${range.from} to ${range.to}`);
}

/** Whether nobody listens on the port of 127.0.0.1. */
export async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
