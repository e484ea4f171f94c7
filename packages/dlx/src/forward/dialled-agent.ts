import { Agent } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ReachedTarget } from "../gate/passage.ts";

/** A target has answered a dial just before; an address that leads nowhere now is given up after this. */
const connectLimitMs = 3_000;

/** Connects to a target for one use. Rejects where no connection comes about: nothing was written then. */
export function dialTarget({ address, port }: ReachedTarget, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, noDelay: true, signal });
    socket.once("error", reject);
    socket.setTimeout(
      connectLimitMs,
      () => void socket.destroy(new Error(`no connection within ${connectLimitMs} ms`)),
    );
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** Hands out one connection that is there already. */
export class DialledAgent extends Agent {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ keepAlive: false, maxSockets: 1 });
    this.#socket = socket;
  }

  override createConnection(): Duplex {
    return this.#socket;
  }
}
