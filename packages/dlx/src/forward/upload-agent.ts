import { Agent } from "node:http";
import type { Duplex } from "node:stream";
import type { ReachedTarget } from "../gate/passage.ts";

/** As undici's: services close idle connections after 5 s and more, and a connection that closes as we write costs a request. */
const idleMs = 4_000;

/** Idle connections that one target may keep. */
const mostIdle = 256;

/** Connections of one target for requests whose body is still arriving. */
export class UploadAgent extends Agent {
  readonly target: ReachedTarget;
  #isRetired = false;

  constructor(target: ReachedTarget) {
    super({ keepAlive: true, maxFreeSockets: mostIdle, scheduling: "lifo", timeout: idleMs });
    this.target = target;
  }

  /** Called by Node as a connection becomes idle; false closes it. */
  override keepSocketAlive(socket: Duplex): boolean {
    // The types say void; Node's own implementation says whether to keep it, and null means yes for a void override.
    return !this.#isRetired && (super.keepSocketAlive(socket) as unknown as boolean);
  }

  /** Closes idle connections now and busy ones as their requests end. */
  retire(): void {
    this.#isRetired = true;
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }
}
