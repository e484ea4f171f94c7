import { buildConnector, Client } from "undici";
import type { ReachedTarget } from "../gate/passage.ts";

/** A target has answered a dial just before; an address that leads nowhere now is given up after this. */
const connectLimitMs = 3_000;

/** Idle connections that one target may keep; more are closed as they become idle. */
const mostIdle = 256;

/** Bytes of a response's head. */
const responseHeadBytes = 131_072;

// Quiet streams and slow answers have limits of their own; undici's would end them after 300 s.
const noLimit = { headersTimeout: 0, bodyTimeout: 0 };

// One for all: each client would build its own, with a cache of TLS sessions that plain HTTP never fills.
const connect = buildConnector({ timeout: connectLimitMs, allowH2: false });

/** One connection to a target, used by one request at a time. */
export interface Connection {
  readonly client: Client;
  /** Requests that it has carried. */
  requests: number;
  isIdle: boolean;
}

/**
 * The connections of one target. A connection is a `Client` of its own, the last one used first, gone with its socket:
 * a `Pool` keeps each client it ever made and looks through all of them for a free one.
 */
export class UndiciConnections {
  readonly #origin: string;
  readonly #all = new Set<Connection>();
  #idle: Connection[] = [];
  #isRetired = false;

  constructor(target: ReachedTarget) {
    const host = target.address.includes(":") ? `[${target.address}]` : target.address;
    this.#origin = `http://${host}:${target.port}`;
  }

  get size(): number {
    return this.#all.size;
  }

  /** An idle connection, or a new one, which opens with its first request. */
  take(fresh: boolean): Connection {
    const connection = fresh ? undefined : this.#idle.pop();
    if (connection === undefined) return this.#open();
    connection.isIdle = false;
    return connection;
  }

  /** The request on the connection has ended well. */
  release(connection: Connection): void {
    if (this.#isRetired || this.#idle.length >= mostIdle) return this.drop(connection);
    connection.isIdle = true;
    this.#idle.push(connection);
  }

  /** Ends a connection and whatever it carries. */
  drop(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    if (connection.isIdle) this.#idle = this.#idle.filter((one) => one !== connection);
    connection.client.destroy(null, () => {});
  }

  /** Closes idle connections now and busy ones as their requests end. */
  retire(): void {
    this.#isRetired = true;
    for (const connection of this.#idle) this.drop(connection);
  }

  /** Ends every connection now. */
  close(): void {
    this.#isRetired = true;
    for (const connection of this.#all) this.drop(connection);
  }

  #open(): Connection {
    const options = { ...noLimit, pipelining: 1, allowH2: false, maxHeaderSize: responseHeadBytes, connect };
    const connection: Connection = { client: new Client(this.#origin, options), requests: 0, isIdle: false };
    connection.client.on("disconnect", () => {
      if (connection.isIdle) this.drop(connection);
    });
    this.#all.add(connection);
    return connection;
  }
}
