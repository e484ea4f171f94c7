import {
  type CatalogEntry,
  type Clock,
  type HttpProbe,
  type Milliseconds,
  type Resource,
  type ResourceCatalog,
  ScalerError,
  type Target,
  toScalerError,
} from "@dormouse/core";
import type { Dial } from "./dial.ts";
import type { ReachedTarget } from "./passage.ts";
import { type PortAnswers, resolvePorts, toPortTarget } from "./port-targets.ts";

/** From one round of dials to the next: the quantum that a wake may lose. */
const dialEveryMs = 5;

/** The same once a start turns out to be slow. */
const dialSlowlyEveryMs = 10;
const slowAfterMs = 2_000;

/** An HTTP probe costs the service more than a connection. */
const probeEveryMs = 20;

/** After a look-up of its name that failed a candidate is left alone for so long: name servers are not asked at the pace of dials. */
const lookUpEveryMs = 100;

/** How many dials of one resource may run at once. */
const dialsAtOnce = 4;

/** How old the platform's answers may get while nothing is heard of a change. */
const askEveryMs = { watched: 1_000, polled: 50, longestPolled: 500 };

/** An instance that has just been asked for shows soon: while there is no candidate, they alone are asked for so often. */
const resolveEveryMs = { first: 5, longest: 50 };

/** An instance that takes requests. */
export interface Reached {
  /** Its main port, by the address that answered. */
  readonly target: ReachedTarget;
  /** Its further ports, as far as they are known. */
  readonly ports: ReadonlyMap<string, ReachedTarget>;
}

export type Found =
  | (Reached & { readonly kind: "reached"; readonly rounds: number })
  /** A fence came: the claim is void. */
  | { readonly kind: "fenced" }
  /** Somebody scaled to 0 after the claim. */
  | { readonly kind: "asleep" };

export interface FindOptions {
  readonly entry: () => CatalogEntry;
  readonly catalog: ResourceCatalog;
  readonly clock: Clock;
  readonly dial: Dial;
  /** Further ports that requests come for. */
  readonly furtherPorts: () => Iterable<string>;
  /** Whether the claim behind this search has been voided. */
  readonly isFenced: () => boolean;
  readonly signal: AbortSignal;
}

/** The probe that decides on a target: the policy's, else the platform's, else none and TCP decides. */
export function probeOf(entry: CatalogEntry, target: Target): HttpProbe | undefined {
  const { readiness } = entry.resource.policy;
  if (readiness === undefined) return target.probe;
  return readiness.status === undefined ? { path: readiness.path } : { path: readiness.path, status: readiness.status };
}

/**
 * Dials a resource's candidates round by round until one answers. Candidates and failures are asked of the platform
 * again when a change is heard of, and now and then. Rejects with the platform's failure, or with the signal's reason.
 */
export async function findTarget(options: FindOptions): Promise<Found> {
  const search = new Search(options);
  try {
    return await search.run();
  } finally {
    search.close();
  }
}

class Search {
  readonly #options: FindOptions;
  readonly #key: string;
  readonly #abort = new AbortController();
  readonly #dialling = new Set<string>();
  /** Monotonic ms before which a candidate is not dialled again, by its id. */
  readonly #nameless = new Map<string, Milliseconds>();
  readonly #subscription: Disposable;
  readonly #startedAt: Milliseconds;
  #candidates: readonly Target[] = [];
  #ports: PortAnswers = new Map();
  #next = 0;
  #askAt: Milliseconds = 0;
  #askEveryMs: Milliseconds;
  #resolveAt: Milliseconds = 0;
  #resolveEveryMs: Milliseconds = resolveEveryMs.first;
  #reached: Reached | undefined;
  #wakeUp: () => void = () => {};

  constructor(options: FindOptions) {
    this.#options = options;
    this.#key = options.entry().key;
    this.#startedAt = options.clock.monotonic();
    this.#askEveryMs = options.entry().scaler.capabilities.watch ? askEveryMs.watched : askEveryMs.polled;
    this.#subscription = options.catalog.subscribe((change) => {
      if (change.kind === "set" && change.entry.key === this.#key) this.#askAt = 0;
    });
  }

  async run(): Promise<Found> {
    const { clock, signal, isFenced } = this.#options;
    for (let rounds = 1; ; rounds += 1) {
      signal.throwIfAborted();
      if (isFenced()) return { kind: "fenced" };
      if (clock.monotonic() >= this.#askAt && !(await this.#ask())) return { kind: "asleep" };
      if (this.#candidates.length === 0 && clock.monotonic() >= this.#resolveAt) await this.#resolve();
      this.#dialSome();
      await this.#pause();
      if (this.#reached !== undefined)
        return isFenced() ? { kind: "fenced" } : { kind: "reached", ...this.#reached, rounds };
    }
  }

  close(): void {
    this.#subscription[Symbol.dispose]();
    this.#abort.abort();
  }

  /** Asks the platform for candidates and for a failure. False: somebody wants 0 replicas now. */
  async #ask(): Promise<boolean> {
    const answer = await this.#askPlatform();
    if (answer === undefined) return true;
    const { resource, candidates } = answer;
    if (resource === undefined) throw new ScalerError("SCALER_NOT_FOUND", `${this.#key} is gone`);
    if (resource.failure !== undefined && resource.ready === 0)
      throw new ScalerError(resource.failure.code, resource.failure.message);
    this.#candidates = candidates;
    return resource.desired > 0;
  }

  /** Undefined: the platform did not answer this time; what it said before stays. */
  async #askPlatform(): Promise<{ resource: Resource | undefined; candidates: readonly Target[] } | undefined> {
    const { clock, entry, signal } = this.#options;
    const { scaler, ref, resource: known } = entry();
    this.#askAt = clock.monotonic() + this.#askEveryMs;
    void this.#askPorts();
    if (!scaler.capabilities.watch) this.#askEveryMs = Math.min(this.#askEveryMs * 1.5, askEveryMs.longestPolled);
    try {
      const [resource, candidates] = await Promise.all([
        scaler.getResource(ref, { signal }),
        scaler.resolveTargets(ref, known.policy.port, { signal }),
      ]);
      return { resource, candidates };
    } catch (error) {
      if (signal.aborted || !toScalerError(error).retryable) throw error;
      return undefined;
    }
  }

  /** Beside all else: what a wake needs is the main port alone. */
  async #askPorts(): Promise<void> {
    const { entry, furtherPorts } = this.#options;
    this.#ports = await resolvePorts(entry(), furtherPorts(), this.#abort.signal);
  }

  #portsOf(reached: ReachedTarget, candidate: Target): ReadonlyMap<string, ReachedTarget> {
    const found = new Map<string, ReachedTarget>();
    for (const [port, targets] of this.#ports) {
      const other = targets === "missing" ? undefined : targets.get(reached.id);
      if (other !== undefined) found.set(port, toPortTarget(reached, candidate, other));
    }
    return found;
  }

  /** No change is announced where only an address became known: a watch tells of resources. */
  async #resolve(): Promise<void> {
    const { clock, entry, signal } = this.#options;
    const { scaler, ref, resource } = entry();
    this.#resolveAt = clock.monotonic() + this.#resolveEveryMs;
    this.#resolveEveryMs = Math.min(this.#resolveEveryMs * 1.3, resolveEveryMs.longest);
    try {
      void this.#askPorts();
      this.#candidates = await scaler.resolveTargets(ref, resource.policy.port, { signal });
    } catch (error) {
      if (signal.aborted || !toScalerError(error).retryable) throw error;
    }
  }

  #dialSome(): void {
    for (let tried = 0; tried < this.#candidates.length && this.#dialling.size < dialsAtOnce; tried += 1) {
      const candidate = this.#candidates[this.#next++ % this.#candidates.length];
      if (candidate !== undefined && this.#mayDial(candidate)) void this.#dialOne(candidate);
    }
  }

  #mayDial({ id }: Target): boolean {
    return !this.#dialling.has(id) && this.#options.clock.monotonic() >= (this.#nameless.get(id) ?? 0);
  }

  async #dialOne(candidate: Target): Promise<void> {
    this.#dialling.add(candidate.id);
    try {
      const reached = await this.#options.dial(
        candidate,
        probeOf(this.#options.entry(), candidate),
        this.#abort.signal,
      );
      this.#reached ??= { target: reached, ports: this.#portsOf(reached, candidate) };
      this.#wakeUp();
    } catch (error) {
      // Not there yet: a later round dials it again.
      if (isLookUpFailure(error)) this.#nameless.set(candidate.id, this.#options.clock.monotonic() + lookUpEveryMs);
    } finally {
      this.#dialling.delete(candidate.id);
    }
  }

  /** Until the next round is due, or a dial has answered. */
  #pause(): Promise<void> {
    const { clock, signal } = this.#options;
    if (this.#reached !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        signal.removeEventListener("abort", end);
        this.#wakeUp = () => {};
        resolve();
      };
      const timer = clock.setTimer(this.#roundMs(), end);
      signal.addEventListener("abort", end, { once: true });
      this.#wakeUp = end;
    });
  }

  #roundMs(): Milliseconds {
    const { clock, entry } = this.#options;
    if (
      entry().resource.policy.readiness !== undefined ||
      this.#candidates.some((candidate) => candidate.probe !== undefined)
    )
      return probeEveryMs;
    return clock.monotonic() - this.#startedAt < slowAfterMs ? dialEveryMs : dialSlowlyEveryMs;
  }
}

/** A name that leads nowhere, or whose server does not answer: errors of `dns.lookup`. */
function isLookUpFailure(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && error.syscall === "getaddrinfo";
}
