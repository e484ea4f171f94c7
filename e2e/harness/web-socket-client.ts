import { once } from "node:events";
import { WebSocket } from "ws";
import { within } from "./until.ts";

/** A WebSocket through the DLX, whose other end sends everything back. */
export class WebSocketClient implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #closed: Promise<void>;

  /** @param host value of the Host header */
  constructor(origin: string, host: string) {
    this.#socket = new WebSocket(origin.replace("http:", "ws:"), { headers: { host } });
    this.#socket.on("error", () => {}); // a close follows
    this.#closed = new Promise((resolve) => {
      this.#socket.once("close", () => resolve());
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Resolves once both sides have agreed on the upgrade. */
  async opened(): Promise<void> {
    if (!this.isOpen) await within("the WebSocket opened", once(this.#socket, "open"));
  }

  /** Sends a text and gives what comes back. */
  async echo(text: string): Promise<string> {
    const answer = once(this.#socket, "message") as Promise<[Buffer]>;
    this.#socket.send(text);
    const [data] = await within(`the echo of ${text} came`, answer);
    return data.toString();
  }

  /** Resolves once it is closed, by whichever side. */
  async closed(): Promise<void> {
    await within("the WebSocket closed", this.#closed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    await this.#closed;
  }
}
