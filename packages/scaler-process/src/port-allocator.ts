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
 * Gives each resource a port of its own and each further instance a free one, and none twice at a time.
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
  /** Kept for a resource, whether it runs or not. */
  readonly #reserved = new Set<number>();
  /** Of instances. */
  readonly #inUse = new Set<number>();
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

  /** Whether a port may be given under the present range and exclusions. */
  isAllowed(port: number): boolean {
    return port >= this.#range.from && port <= this.#range.to && !this.#excluded.has(port);
  }

  /** Keeps a port that is free now for one resource until it is dropped. Rejects with `SCALER_START_FAILED` where none is left. */
  async reserve(): Promise<number> {
    return this.#pick((port) => claim(this.#reserved, port));
  }

  /** Gives a reserved port back. */
  drop(port: number): void {
    this.#reserved.delete(port);
  }

  /** A port for one instance until it is released: the reserved one if it is free, else another. Rejects like `reserve`. */
  async take(reserved?: number): Promise<number> {
    if (reserved !== undefined && this.isAllowed(reserved) && (await this.#use(reserved))) return reserved;
    return this.#pick((port) => this.#use(port));
  }

  /** Gives an instance's port back. */
  release(port: number): void {
    this.#inUse.delete(port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leasing;
    await Promise.all(this.#blocks.splice(0).map(({ lock }) => closeServer(lock)));
  }

  async #use(port: number): Promise<boolean> {
    return !this.#inUse.has(port) && claim(this.#inUse, port);
  }

  /** The first port in turn that nobody has and that `accept` accepts. */
  async #pick(accept: (port: number) => Promise<boolean>): Promise<number> {
    const known = await this.#pickFromBlocks(accept);
    if (known !== undefined) return known;
    // One at a time: who waited finds the block that another has just leased.
    const leased = this.#leasing.then(() => this.#pickFromNewBlock(accept));
    this.#leasing = leased.catch(() => {});
    return leased;
  }

  async #pickFromNewBlock(accept: (port: number) => Promise<boolean>): Promise<number> {
    for (;;) {
      const port = await this.#pickFromBlocks(accept);
      if (port !== undefined) return port;
      if (!(await this.#leaseBlock())) throw toNoPortError(this.#range.from, this.#range.to);
    }
  }

  async #pickFromBlocks(accept: (port: number) => Promise<boolean>): Promise<number | undefined> {
    for (const block of this.#blocks) {
      for (let tries = block.ports.length; tries > 0; tries -= 1) {
        const port = block.ports[block.next];
        block.next = (block.next + 1) % block.ports.length;
        if (port !== undefined && this.#isNobodys(port) && (await accept(port))) return port;
      }
    }
    return undefined;
  }

  #isNobodys(port: number): boolean {
    return this.isAllowed(port) && !this.#reserved.has(port) && !this.#inUse.has(port);
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

/** Adds the port to those that are taken, unless somebody listens on it. */
async function claim(taken: Set<number>, port: number): Promise<boolean> {
  taken.add(port);
  if (await isPortFree(port)) return true;
  taken.delete(port);
  return false;
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
