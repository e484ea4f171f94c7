import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";

/** Where a group listens while it runs. */
export interface GroupServer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

/** Starts what a group runs: a real server, so that its address can be dialled. */
export type StartGroupServer = (group: string, port: number, run: number) => Promise<GroupServer>;

/** A server on a loopback address that is another one at each start, as it is with container groups. */
export async function startLoopbackServer(group: string, port: number, run: number): Promise<GroupServer> {
  const address =
    process.platform === "linux" ? `127.${20 + (run % 200)}.${port % 251}.${(port % 199) + 1}` : "127.0.0.1";
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => response.end(`${group}, run ${run}`));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await listen(server, port, address);
  return {
    address,
    port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** No server at all, for tests in which nobody dials. */
export async function startNothing(_group: string, port: number, run: number): Promise<GroupServer> {
  return { address: `10.1.${run % 250}.${port % 250}`, port, [Symbol.asyncDispose]: async () => {} };
}

/**
 * Below the ports that the kernel gives to whoever names none: a group that does not run does not hold its port, and must
 * find it free when it starts.
 */
const ports = { from: 30_000, to: 31_999 };

let next = ports.from + Math.floor(Math.random() * (ports.to - ports.from + 1));

/** A port that nobody has at the moment, on no loopback address; each time another. */
export async function freePort(): Promise<number> {
  for (let tries = ports.from; tries <= ports.to; tries += 1) {
    const port = next; // others may ask meanwhile
    next = port === ports.to ? ports.from : port + 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${ports.from} to ${ports.to}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await listen(server, port, "0.0.0.0");
  } catch {
    return false;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}

function listen(server: Server, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, resolve);
  });
}
