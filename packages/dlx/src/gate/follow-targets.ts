import {
  backoffMs,
  type CatalogEntry,
  type Clock,
  type Milliseconds,
  type ResourceCatalog,
  type Target,
} from "@dormouse/core";
import type { Dial } from "./dial.ts";
import { probeOf } from "./find-target.ts";
import type { FurtherPorts } from "./further-ports.ts";
import type { ReachedTarget } from "./passage.ts";
import { resolvePorts } from "./port-targets.ts";
import type { TargetPool } from "./target-pool.ts";

/** How often an awake resource's targets are asked for while nothing is heard of a change. */
const askEveryMs = { watched: 30_000, polled: 5_000 };

/** Candidates that do not answer yet are dialled again behind this backoff. */
const unreached = { firstMs: 20, longestMs: 2_000 };

/** How many candidates are dialled at once. */
const dialsAtOnce = 4;

export interface FollowOptions {
  readonly entry: () => CatalogEntry;
  readonly catalog: ResourceCatalog;
  readonly clock: Clock;
  readonly dial: Dial;
  readonly pool: TargetPool;
  readonly further: FurtherPorts;
  readonly reached: (target: ReachedTarget) => void;
  readonly vanished: (target: ReachedTarget) => void;
  /** Something was learned of further ports. */
  readonly opened: () => void;
  readonly signal: AbortSignal;
}

/** Keeps a resource's targets fresh while its DLX has the licence: new ones are dialled, vanished ones dropped. */
export class TargetFollower {
  readonly #options: FollowOptions;
  readonly #suspects = new Set<ReachedTarget>();
  #again = true;
  #wakeUp: () => void = () => {};

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** Asks again soon: a target could not be reached, or requests come for another port. */
  poke(): void {
    this.#again = true;
    this.#wakeUp();
  }

  /** Dials a reached target's main port soon: another port of it could not be reached. */
  suspect(target: ReachedTarget): void {
    this.#suspects.add(target);
    this.poke();
  }

  /** Until the signal aborts. */
  async run(): Promise<void> {
    const { catalog, signal, entry } = this.#options;
    const { key } = entry();
    const subscription = catalog.subscribe((change) => {
      if (change.kind === "set" && change.entry.key === key) this.poke();
    });
    try {
      for (let attempt = 0; !signal.aborted;) {
        this.#again = false;
        attempt = (await this.#round()) ? 0 : attempt + 1;
        await this.#pause(attempt === 0 ? this.#idleMs() : backoffMs(attempt - 1, unreached));
      }
    } finally {
      subscription[Symbol.dispose]();
    }
  }

  /** Whether every candidate is reached now, and every further port that there is hope for. */
  async #round(): Promise<boolean> {
    const { entry, pool, signal, vanished } = this.#options;
    const { scaler, ref, resource } = entry();
    try {
      const candidates = await scaler.resolveTargets(ref, resource.policy.port, { signal });
      const ids = new Set(candidates.map((candidate) => candidate.id));
      for (const target of pool.list()) if (!ids.has(target.id)) vanished(target);
      const missing = candidates.filter((candidate) => !pool.has(candidate.id)).slice(0, dialsAtOnce);
      await Promise.all([...missing.map((candidate) => this.#dial(candidate)), ...this.#dialSuspects()]);
      const hasPorts = await this.#followPorts(candidates);
      return hasPorts && this.#suspects.size === 0 && candidates.every((candidate) => pool.has(candidate.id));
    } catch {
      // The platform did not answer: the known targets stay, and it is asked again.
      return false;
    }
  }

  async #dial(candidate: Target): Promise<void> {
    const { dial, entry, reached, signal } = this.#options;
    try {
      const target = await dial(candidate, probeOf(entry(), candidate), signal);
      if (!signal.aborted) reached(target);
    } catch {
      // Not there yet: the next round dials it again.
    }
  }

  #dialSuspects(): readonly Promise<void>[] {
    const { pool, vanished, signal } = this.#options;
    const suspects = [...this.#suspects].slice(0, dialsAtOnce);
    return suspects.map(async (target) => {
      this.#suspects.delete(target);
      const isThere = await this.#answers(target);
      if (!isThere && !signal.aborted && pool.has(target.id)) vanished(target);
    });
  }

  /** Learns where the further ports are, and dials those that a request could not reach. */
  async #followPorts(candidates: readonly Target[]): Promise<boolean> {
    const { entry, further, opened, signal } = this.#options;
    if (further.isNone) return true;
    const answers = await resolvePorts(entry(), further.wanted(), signal);
    if (signal.aborted) return false;
    further.learn(answers, candidates);
    const closed = further.closed().slice(0, dialsAtOnce);
    await Promise.all(
      closed.map(async ({ slot, port, target }) => {
        if ((await this.#answers(target)) && !signal.aborted) slot.mark(port, true);
      }),
    );
    if (signal.aborted) return false;
    const isDone = further.judge();
    opened();
    return isDone;
  }

  /** Whether a connection comes about; a probe is for instances that are new. */
  #answers({ id, address, port }: ReachedTarget): Promise<boolean> {
    const { dial, signal } = this.#options;
    return dial({ id, host: address, port }, undefined, signal).then(
      () => true,
      () => false,
    );
  }

  #idleMs(): Milliseconds {
    return this.#options.entry().scaler.capabilities.watch ? askEveryMs.watched : askEveryMs.polled;
  }

  #pause(ms: Milliseconds): Promise<void> {
    const { clock, signal } = this.#options;
    if (this.#again || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        signal.removeEventListener("abort", end);
        this.#wakeUp = () => {};
        resolve();
      };
      const timer = clock.setTimer(ms, end, { unref: true });
      signal.addEventListener("abort", end, { once: true });
      this.#wakeUp = end;
    });
  }
}
