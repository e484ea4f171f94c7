import type { CatalogEntry } from "@dormouse/core";
import type { Reached } from "./find-target.ts";
import { TargetFollower } from "./follow-targets.ts";
import { FurtherPorts } from "./further-ports.ts";
import type { GatePorts } from "./gate-ports.ts";
import type { ReachedTarget } from "./passage.ts";
import { TargetPool, type TargetSlot } from "./target-pool.ts";

export interface GateTargetsOptions {
  readonly ports: GatePorts;
  readonly entry: () => CatalogEntry;
  /** A request that could not go on before may be able to now. */
  readonly opened: () => void;
  /** The last target is gone. */
  readonly emptied: () => void;
  /** Whoever waits for the further port waits in vain. */
  readonly hopeless: (port: string) => void;
}

/** The targets of one resource at one DLX, followed while it has the licence. A port that is left out is the main one. */
export class GateTargets {
  readonly #options: GateTargetsOptions;
  readonly #pool = new TargetPool();
  readonly #further: FurtherPorts;
  #following: { readonly follower: TargetFollower; readonly abort: AbortController } | undefined;

  constructor(options: GateTargetsOptions) {
    const { clock, upstreams } = options.ports;
    const retire = (target: ReachedTarget): void => upstreams.retire(target);
    this.#options = options;
    this.#further = new FurtherPorts({ clock, pool: this.#pool, retire, hopeless: options.hopeless });
  }

  get size(): number {
    return this.#pool.size;
  }

  /** Aborts once they are not followed any more; undefined: they are not. */
  get signal(): AbortSignal | undefined {
    return this.#following?.abort.signal;
  }

  list(): readonly ReachedTarget[] {
    return this.#pool.list();
  }

  /** Further ports that requests come for. */
  furtherPorts(): Iterable<string> {
    return this.#further.wanted();
  }

  pick(maxConcurrency: number, port: string | undefined): TargetSlot | undefined {
    return this.#pool.pick(maxConcurrency, port);
  }

  hasRoom(maxConcurrency: number, port: string | undefined): boolean {
    return this.#pool.hasRoom(maxConcurrency, port);
  }

  /** A request for the further port is to be held. False: it would wait in vain. */
  want(port: string): boolean {
    const isHopeless = this.#further.isHopeless(port);
    if (this.#further.want(port)) this.#following?.follower.poke();
    return !isHopeless;
  }

  /** The resource has changed. */
  changed(): void {
    this.#further.forgetMissing();
  }

  /** Takes in a target that has answered, and follows all from now on. */
  begin({ target, ports }: Reached): void {
    const slot = this.#pool.add(target);
    for (const [port, address] of ports) slot.learn(port, address);
    this.#follow();
  }

  /** A request could not reach the slot on that port. */
  unreachable(slot: TargetSlot, port: string | undefined): void {
    if (port === undefined) {
      this.drop(slot.target);
      this.#following?.follower.poke();
    } else {
      this.#further.close(slot, port);
      this.#following?.follower.suspect(slot.target);
    }
  }

  /** Forgets a target. */
  drop(target: ReachedTarget): void {
    const addresses = this.#pool.drop(target);
    for (const address of addresses) this.#options.ports.upstreams.retire(address);
    if (addresses.length === 0) return;
    if (this.#pool.size === 0) this.#options.emptied();
    else this.#further.judge();
  }

  /** Forgets all and follows none. */
  end(): void {
    this.#following?.abort.abort();
    this.#following = undefined;
    for (const address of this.#pool.clear()) this.#options.ports.upstreams.retire(address);
    this.#further.reset();
  }

  #follow(): void {
    if (this.#following !== undefined) return;
    const { entry, ports, opened } = this.#options;
    const { catalog, clock, dial } = ports;
    const abort = new AbortController();
    const follower = new TargetFollower({
      entry,
      catalog,
      clock,
      dial,
      pool: this.#pool,
      further: this.#further,
      reached: (target) => {
        this.#pool.add(target);
        opened();
      },
      vanished: (target) => this.drop(target),
      opened,
      signal: abort.signal,
    });
    this.#following = { follower, abort };
    void follower.run();
  }
}
