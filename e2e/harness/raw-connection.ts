import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { until, within } from "./until.ts";

/** One TCP connection that sends just the bytes it is given and keeps every byte that comes back. */
export class RawConnection implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #closed: Promise<void>;
  #received = "";
  #failure: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => (this.#received += bytes.toString("latin1")));
    socket.on("error", (error) => (this.#failure = error));
    this.#closed = new Promise((resolve) => {
      socket.once("close", () => resolve());
    });
  }

  /** @param origin `http://127.0.0.1:PORT` */
  static async open(origin: string): Promise<RawConnection> {
    const { hostname, port } = new URL(origin);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  /** All bytes so far, one character each. */
  get received(): string {
    return this.#received;
  }

  /** What the connection failed with, where it did. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  get isClosed(): boolean {
    return this.#socket.closed || this.#socket.readableEnded;
  }

  /** Writes and resolves once the kernel has taken the bytes; false where the connection is over. */
  async send(bytes: string | Uint8Array): Promise<boolean> {
    if (this.#socket.destroyed || !this.#socket.writable) return false;
    const data = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    return new Promise((resolve) => {
      this.#socket.write(data, (error) => resolve(error === undefined || error === null));
    });
  }

  /** Says that nothing more comes. */
  end(): void {
    this.#socket.end();
  }

  /** Breaks off without a farewell. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Everything that came, once this has come. */
  async receive(expected: RegExp, limitMs?: number): Promise<RegExpExecArray> {
    const seen = (): string => `${String(expected)} came, but only ${JSON.stringify(this.#received.slice(0, 2_000))}`;
    return until(seen, () => expected.exec(this.#received), limitMs);
  }

  /** Everything that came, once the other side has closed. */
  async untilClosed(limitMs?: number): Promise<string> {
    const ended = this.#socket.readableEnded
      ? Promise.resolve()
      : Promise.race([once(this.#socket, "end"), this.#closed]);
    await within(
      () => `the connection was closed; it brought ${JSON.stringify(this.#received.slice(0, 500))}`,
      ended.then(() => {}),
      limitMs,
    );
    return this.#received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
  }
}
