import { createHash } from "node:crypto";
import { Agent, type ClientRequestArgs } from "node:http";
import type { Duplex } from "node:stream";
import type { Client, ConnectConfig } from "ssh2";
import { toHostKeyError } from "./docker-error.ts";

/** Sessions of one connection; OpenSSH allows ten by default. */
const mostSessions = 8;

/** What carries bytes between an SSH session and the engine's socket, on the engine's machine. */
const dialCommand = "docker system dial-stdio";

/** How the agent gets to the engine's machine. */
export interface SshAgentOptions {
  readonly config: ConnectConfig;
  /** Fingerprint of the one host that is trusted, `SHA256:…`. */
  readonly hostKey: string;
  /** Makes a client that is not connected yet. */
  createClient(): Client;
}

type Connected = (error: Error | null, stream: Duplex) => void;

/** Sends HTTP requests through sessions of one SSH connection, which is opened at need and again after its end. */
export class SshAgent extends Agent {
  readonly #options: SshAgentOptions;
  #client: Promise<Client> | undefined;
  #isClosed = false;

  constructor(options: SshAgentOptions) {
    super({ maxSockets: mostSessions });
    this.#options = options;
  }

  override createConnection(_options: ClientRequestArgs, callback?: Connected): null {
    void this.#connectTo(callback ?? (() => {}));
    return null;
  }

  override destroy(): void {
    this.#isClosed = true;
    super.destroy();
    void this.#client?.then(
      (client) => client.end(),
      () => {},
    );
  }

  async #connectTo(tell: Connected): Promise<void> {
    let stream: Duplex;
    try {
      stream = await this.#openSession();
    } catch (error) {
      // Node looks at the error alone then.
      tell(error instanceof Error ? error : new Error(String(error)), undefined as never);
      return;
    }
    tell(null, stream);
  }

  async #openSession(): Promise<Duplex> {
    this.#client ??= this.#connect();
    const client = await this.#client;
    if (this.#isClosed) throw new Error("the SSH connection has been closed");
    return new Promise((resolve, reject) => {
      client.exec(dialCommand, (error, stream) => (error === undefined ? resolve(stream) : reject(error)));
    });
  }

  async #connect(): Promise<Client> {
    const client = this.#options.createClient();
    const { promise, resolve, reject } = Promise.withResolvers<Client>();
    let denied: Error | undefined;
    const forget = (): void => {
      this.#client = undefined;
    };
    client.on("ready", () => resolve(client));
    client.on("error", (error) => {
      forget();
      reject(denied ?? error);
    });
    client.on("close", () => {
      forget();
      reject(denied ?? new Error("the SSH connection ended before it was ready"));
    });
    const hostVerifier = (key: Buffer): boolean => {
      const seen = `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
      if (seen === this.#options.hostKey.replace(/=+$/, "")) return true;
      denied = new Error("the SSH host is another one", { cause: toHostKeyError(seen) });
      return false;
    };
    client.connect({ ...this.#options.config, hostVerifier });
    return promise;
  }
}
