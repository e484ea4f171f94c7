import { connect, type Socket } from "node:net";

/** One connection on which a test writes what it likes and reads what comes. */
export class RawConnection {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #length = 0;
  #isClosed = false;
  #isEnded = false;
  readonly #waiting = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#look();
    });
    socket.on("end", () => {
      this.#isEnded = true;
      this.#look();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isClosed = true;
      this.#look();
    });
  }

  static open(port: number, host = "127.0.0.1"): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, allowHalfOpen: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  /** Everything that came so far, as latin1. */
  get text(): string {
    this.#chunks = [Buffer.concat(this.#chunks)];
    return String(this.#chunks[0]?.toString("latin1"));
  }

  /** Bytes that came so far. */
  get length(): number {
    return this.#length;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(text: string | Buffer): void {
    this.socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text);
  }

  /** Resolves once what came matches. */
  async until(pattern: RegExp | string): Promise<string> {
    const isThere = (): boolean =>
      typeof pattern === "string" ? this.text.includes(pattern) : pattern.test(this.text);
    await this.#when(isThere, () => `${String(pattern)} did not come, but ${JSON.stringify(this.text)}`);
    return this.text;
  }

  /** Resolves once the other side has ended or broken the connection. */
  async untilClosed(): Promise<string> {
    await this.#when(
      () => this.#isClosed || this.#isEnded,
      () => `still open after ${JSON.stringify(this.text)}`,
    );
    this.socket.destroy();
    return this.text;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  #when(isDone: () => boolean, complaint: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isDone()) {
          if (this.#isClosed) finish(() => reject(new Error(complaint())));
          return;
        }
        finish(resolve);
      };
      const timer = setTimeout(() => finish(() => reject(new Error(complaint()))), 20_000);
      const finish = (then: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        then();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** Sends the bytes on a connection of its own and resolves with all that comes until the other side ends it. */
export async function sendRaw(port: number, text: string, host?: string): Promise<string> {
  const connection = await RawConnection.open(port, host);
  connection.write(text);
  return connection.untilClosed();
}

/** The body after the head. */
export function bodyOf(response: string): string {
  return response.slice(response.indexOf("\r\n\r\n") + 4);
}
