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

function listen(server: Server, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, resolve);
  });
}
