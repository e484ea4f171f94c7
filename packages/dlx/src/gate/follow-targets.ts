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
import type { ReachedTarget } from "./passage.ts";
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
  readonly reached: (target: ReachedTarget) => void;
  readonly vanished: (target: ReachedTarget) => void;
  readonly signal: AbortSignal;
}

/** Keeps a resource's targets fresh while its DLX has the licence: new ones are dialled, vanished ones dropped. */
export class TargetFollower {
  readonly #options: FollowOptions;
  #again = true;
  #wakeUp: () => void = () => {};

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** Asks again soon: a target could not be reached. */
  poke(): void {
    this.#again = true;
    this.#wakeUp();
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

  /** Whether every candidate is reached now. */
  async #round(): Promise<boolean> {
    const { entry, pool, signal, vanished } = this.#options;
    const { scaler, ref, resource } = entry();
    try {
      const candidates = await scaler.resolveTargets(ref, resource.policy.port, { signal });
      const ids = new Set(candidates.map((candidate) => candidate.id));
      for (const target of pool.list()) if (!ids.has(target.id)) vanished(target);
      const missing = candidates.filter((candidate) => !pool.has(candidate.id)).slice(0, dialsAtOnce);
      await Promise.all(missing.map((candidate) => this.#dial(candidate)));
      return candidates.every((candidate) => pool.has(candidate.id));
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
