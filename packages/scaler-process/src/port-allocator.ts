import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { isPortFree } from "./is-port-free.ts";
import { toNoPortError } from "./process-error.ts";

/** Ports that are leased together. */
const blockSize = 100;

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** A lease of the ports above `lock`, held as long as the socket listens on `lock`. */
interface Block {
  readonly lock: Server;
  readonly ports: readonly number[];
  /** Index of the port to try first. */
  next: number;
}

/**
 * Gives each instance a free port of a range, and none twice at a time.
 *
 * A port is free only until somebody binds it, and a process takes a while to do so; meanwhile another host on the
 * machine could give the same port away, and requests would reach the wrong service. So ports are leased in blocks: a
 * host listens on the first port of a block, and only it gives away the rest. The kernel ends the lease with the host.
 * Within a block ports are given in turn, so that a port that has just been left rests before it is used again.
 */
export class PortAllocator implements AsyncDisposable {
  #range: PortRange;
  #excluded: ReadonlySet<number>;
  readonly #blocks: Block[] = [];
  readonly #taken = new Set<number>();
  #leasing: Promise<unknown> = Promise.resolve();

  /** @param excluded ports of the range that belong to somebody, whether they are in use or not */
  constructor(range: PortRange, excluded: ReadonlySet<number>) {
    this.#range = range;
    this.#excluded = excluded;
  }

  /** Takes another range or other exclusions; ports that are out stay out. */
  configure(range: PortRange, excluded: ReadonlySet<number>): void {
    this.#range = range;
    this.#excluded = excluded;
  }

  /** A free port until it is released. Rejects with `SCALER_START_FAILED` where none is left. */
  async take(): Promise<number> {
    const known = await this.#takeFromBlocks();
    if (known !== undefined) return known;
    // One at a time: who waited finds the block that another has just leased.
    const leased = this.#leasing.then(() => this.#takeFromNewBlock());
    this.#leasing = leased.catch(() => {});
    return leased;
  }

  /** Gives a port back. */
  release(port: number): void {
    this.#taken.delete(port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leasing;
    await Promise.all(this.#blocks.splice(0).map(({ lock }) => closeServer(lock)));
  }

  async #takeFromNewBlock(): Promise<number> {
    for (;;) {
      const port = await this.#takeFromBlocks();
      if (port !== undefined) return port;
      if (!(await this.#leaseBlock())) throw toNoPortError(this.#range.from, this.#range.to);
    }
  }

  async #takeFromBlocks(): Promise<number | undefined> {
    for (const block of this.#blocks) {
      for (let tries = block.ports.length; tries > 0; tries -= 1) {
        const port = block.ports[block.next];
        block.next = (block.next + 1) % block.ports.length;
        if (port !== undefined && (await this.#takeIfFree(port))) return port;
      }
    }
    return undefined;
  }

  async #takeIfFree(port: number): Promise<boolean> {
    if (this.#taken.has(port) || !this.#isAllowed(port)) return false;
    this.#taken.add(port);
    if (await isPortFree(port)) return true;
    this.#taken.delete(port);
    return false;
  }

  #isAllowed(port: number): boolean {
    return port >= this.#range.from && port <= this.#range.to && !this.#excluded.has(port);
  }

  /** Leases one more block, the first try at random; false where none is left. */
  async #leaseBlock(): Promise<boolean> {
    const { from, to } = this.#range;
    const count = Math.ceil((to - from + 1) / blockSize);
    const first = Math.floor(Math.random() * count);
    for (let tries = 0; tries < count; tries += 1) {
      const start = from + ((first + tries) % count) * blockSize;
      const lock = this.#excluded.has(start) ? undefined : await lockPort(start);
      if (lock === undefined) continue;
      const size = Math.min(blockSize, to - start + 1);
      this.#blocks.push({ lock, ports: Array.from({ length: size - 1 }, (_, index) => start + 1 + index), next: 0 });
      return true;
    }
    return false;
  }
}

async function lockPort(port: number): Promise<Server | undefined> {
  const lock = createServer((socket) => socket.destroy());
  try {
    lock.listen({ host: "127.0.0.1", port, exclusive: true });
    await once(lock, "listening");
    return lock.unref();
  } catch {
    return undefined;
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
