import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a port that can be held up, or cut, for as long as a test likes. */
export interface TcpGate extends AsyncDisposable {
  readonly port: number;
  /** Nothing passes any more, and everything stays open, until the result is called. */
  stall(): () => Promise<void>;
  /** Every connection is broken and none is taken, until the result is called. */
  cut(): () => Promise<void>;
}

export async function openTcpGate(to: number): Promise<TcpGate> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let isStalled = false;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    if (isStalled) socket.pause();
    return socket.on("error", () => {}).once("close", () => sockets.delete(socket));
  };
  const server = createServer((socket) => {
    if (isCut) return void socket.destroy();
    const upstream = keep(connect(to, "127.0.0.1"));
    keep(socket).once("close", () => upstream.destroy());
    upstream.once("close", () => socket.destroy());
    socket.on("data", (chunk) => upstream.write(chunk));
    upstream.on("data", (chunk) => socket.write(chunk));
    if (isStalled) [socket, upstream].forEach((each) => each.pause());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    stall() {
      isStalled = true;
      for (const socket of sockets) socket.pause();
      return async () => {
        isStalled = false;
        for (const socket of sockets) socket.resume();
      };
    },
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
      return async () => void (isCut = false);
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
