import type { WebSocket } from "undici";
import type { ServiceClient } from "./service-client.ts";

/** One end of a conversation through PeerJS's signalling server. */
export class PeerSocket {
  readonly #id: string;
  readonly #socket: WebSocket;
  readonly #signal: AbortSignal;
  readonly #received: string[] = [];
  #arrived = Promise.withResolvers<void>();

  constructor(client: ServiceClient, id: string, signal: AbortSignal) {
    this.#id = id;
    this.#signal = signal;
    this.#socket = client.webSocket(`/peerjs?key=peerjs&token=demo&id=${id}`);
    this.#socket.addEventListener("message", ({ data }) => this.#take(String(data)));
    this.#socket.addEventListener("error", () => this.#fail("was refused or cut"));
    this.#socket.addEventListener("close", () => this.#fail("was closed"));
    signal.addEventListener("abort", this.#abort);
    this.#arrived.promise.catch(() => undefined);
  }

  /** Resolves once the server has greeted this end. */
  async opened(): Promise<void> {
    await this.#until((message) => message.type === "OPEN");
  }

  /** Sends a text to the other end and resolves once it has arrived there. */
  async tell(other: PeerSocket, text: string): Promise<void> {
    this.#socket.send(JSON.stringify({ type: "OFFER", dst: other.#id, payload: { text } }));
    await other.#until((message) => message.src === this.#id && message.payload?.text === text);
  }

  close(): void {
    this.#signal.removeEventListener("abort", this.#abort);
    this.#socket.close();
  }

  readonly #abort = (): void => {
    this.#fail("was given up");
    this.#socket.close();
  };

  async #until(isMeant: (message: PeerMessage) => boolean): Promise<void> {
    while (!this.#received.some((text) => isMeant(JSON.parse(text) as PeerMessage))) await this.#arrived.promise;
  }

  #take(text: string): void {
    this.#received.push(text);
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers<void>();
    this.#arrived.promise.catch(() => undefined);
  }

  #fail(how: string): void {
    this.#arrived.reject(new Error(`WebSocket ${this.#id} ${how}`));
  }
}

interface PeerMessage {
  readonly type: string;
  readonly src?: string;
  readonly payload?: { readonly text?: string };
}
