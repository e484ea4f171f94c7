// Runs on this machine and, as it stands, in a Pod: nothing but Node.
import { connect } from "node:net";

/** How long one attempt may take. The next one is a new connection, which the kernel may lead elsewhere. */
const limitMs = 500;

/** Whether somebody takes a connection there now; no byte is sent. Never rejects. */
export function canConnect(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, timeout: limitMs });
  const end = (isTaken: boolean): void => {
    socket.destroy();
    resolve(isTaken);
  };
  socket.once("connect", () => end(true));
  socket.once("timeout", () => end(false));
  socket.once("error", () => end(false));
  return promise;
}
