import { connect, isIP } from "node:net";
import type { Milliseconds } from "@dormouse/core";

/** A dial on one machine answers at once, unless the server's backlog is full. */
const longestDialMs: Milliseconds = 1_000;

/** Addresses behind a host name: servers listen on one family of `localhost` only, and not every machine looks up both. */
export function addressesOf(host: string): readonly string[] {
  return host === "localhost" ? ["127.0.0.1", "::1"] : [host];
}

/** Whether somebody accepts a TCP connection there. The connection is closed at once, without a byte. */
export async function acceptsConnection(host: string, port: number): Promise<boolean> {
  const answers = await Promise.all(addressesOf(host).map((address) => dial(address, port)));
  return answers.includes(true);
}

function dial(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    const limit = (): void => void socket.setTimeout(longestDialMs, () => end(false));
    // The limit is for a connection: a name is looked up as long as the resolver takes, which no one can give up.
    if (isIP(host) === 0) socket.once("lookup", limit);
    else limit();
    // A dial of a free port may be given that very port as its own, and then meets itself (RFC 9293, section 3.5).
    socket.once("connect", () => end(socket.localPort !== port));
    socket.on("error", () => end(false));
  });
}
