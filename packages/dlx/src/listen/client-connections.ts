import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "@dormouse/core";
import type { Networks } from "../forward/networks.ts";
import { type Peer, toPeer } from "../forward/peer.ts";
import type { RouteMatch } from "../route/route-table.ts";

/** For each so many connections there may be one more whose request is refused: without it nobody could be told why. */
const connectionsPerSurplus = 4;

/** How long the rest of a body is read and thrown away after its request was answered. */
const discardLimitMs = 10_000;

/** The listener that a connection came through. */
export interface ConnectionOrigin {
  /** Where a dedicated listener leads; undefined on a shared one. */
  readonly route: RouteMatch | undefined;
  /** It takes no more connections, and those it has end with their request. */
  readonly isClosing: boolean;
}

/** The exchange that a connection's parser is at. */
export interface CurrentExchange {
  /** Whether all of the request has been read: what is malformed comes after it. */
  readonly isComplete: boolean;
  refuseAndClose(status: 400 | 408 | 417 | 431, reason: string): void;
}

/** One client's connection. */
export class ClientConnection {
  readonly socket: Socket;
  readonly origin: ConnectionOrigin;
  /** One too many: its request is refused, and it ends. */
  readonly isSurplus: boolean;
  /** The newest exchange; undefined between two requests. */
  current: CurrentExchange | undefined;
  /** Nothing that comes on it can be understood any more: the running answer is its last. */
  isBroken = false;
  /** A malformed request was refused on it: whatever comes behind that may be a part of it, and is not looked at. */
  isRefused = false;
  #peer: Peer | undefined;
  #trusted: Networks | undefined;

  constructor(socket: Socket, origin: ConnectionOrigin, isSurplus = false) {
    this.socket = socket;
    this.origin = origin;
    this.isSurplus = isSurplus;
  }

  /** Whether the answer that is about to be written has to be the last. */
  get isLast(): boolean {
    return this.isBroken || this.isSurplus || this.origin.isClosing;
  }

  /** Who is at the other end; found out once for each list of trusted proxies. */
  peer(trusted: Networks): Peer {
    if (this.#peer === undefined || this.#trusted !== trusted) {
      this.#peer = toPeer(this.socket, trusted);
      this.#trusted = trusted;
    }
    return this.#peer;
  }

  /** Reads the rest of a body that nobody wants, within a limit of time; then the connection ends. */
  discard(request: IncomingMessage, clock: Clock): void {
    const timer = clock.setTimer(discardLimitMs, () => void this.socket.destroy(), { unref: true });
    request.once("close", () => timer.cancel());
    request.resume();
  }
}

/** All client connections of a front, counted over all its listeners. */
export class ClientConnections {
  readonly #open = new Map<Socket, ClientConnection>();
  /** One listener for all sockets. */
  readonly #forget: (this: Socket) => void;

  constructor() {
    const open = this.#open;
    this.#forget = function forget() {
      open.delete(this);
    };
  }

  get size(): number {
    return this.#open.size;
  }

  /** Takes in a new connection until it closes. One too many is there to be refused, and one far too many is closed at once. */
  add(socket: Socket, origin: ConnectionOrigin, limit: number): void {
    const { size } = this.#open;
    if (size >= limit + Math.ceil(limit / connectionsPerSurplus)) return void socket.destroy();
    this.#open.set(socket, new ClientConnection(socket, origin, size >= limit));
    socket.on("close", this.#forget);
  }

  get(socket: Socket): ClientConnection | undefined {
    return this.#open.get(socket);
  }

  /** Ends all of them now. */
  destroyAll(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }
}
