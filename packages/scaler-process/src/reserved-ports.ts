import type { PortAllocator } from "./port-allocator.ts";

/** The port of each resource, by the resource's key: the fixed one, or an automatic one that it keeps while it exists. */
export class ReservedPorts {
  readonly #allocator: PortAllocator;
  readonly #kept = new Map<string, number>();

  constructor(allocator: PortAllocator) {
    this.#allocator = allocator;
  }

  /**
   * Finds a port for each resource; all or nothing, and nothing changes until `commit`. Rejects with
   * `SCALER_START_FAILED` where there are too few.
   *
   * @param wanted the fixed port by key; undefined: an automatic one
   */
  async prepare(wanted: ReadonlyMap<string, number | undefined>): Promise<ReadonlyMap<string, number>> {
    const prepared = new Map<string, number>();
    try {
      for (const [key, fixed] of wanted) prepared.set(key, fixed ?? (await this.#portFor(key)));
      return prepared;
    } catch (error) {
      for (const [key, port] of prepared) if (this.#kept.get(key) !== port) this.#allocator.drop(port);
      throw error;
    }
  }

  /** Keeps what was prepared, and gives back what it replaces. */
  commit(prepared: ReadonlyMap<string, number>): void {
    for (const [key, port] of prepared) {
      if (this.#kept.get(key) === port) continue;
      this.drop(key);
      this.#kept.set(key, port);
    }
  }

  /** Gives a resource's port back. */
  drop(key: string): void {
    const port = this.#kept.get(key);
    if (port !== undefined) this.#allocator.drop(port);
    this.#kept.delete(key);
  }

  async #portFor(key: string): Promise<number> {
    const kept = this.#kept.get(key);
    return kept !== undefined && this.#allocator.isAllowed(kept) ? kept : this.#allocator.reserve();
  }
}
