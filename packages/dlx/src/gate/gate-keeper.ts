import { randomUUID } from "node:crypto";
import {
  type ActivityReport,
  backoffMs,
  type CatalogChange,
  type CatalogEntry,
  type DlxPeer,
  type FenceAnswer,
  formatRef,
  type Milliseconds,
  type PeerDiscovery,
  resolveDependency,
  type ResourceRef,
  ScalerError,
  type SeesDirect,
  toScalerError,
} from "@dormouse/core";
import { Totals } from "./book.ts";
import type { GatePorts } from "./gate-ports.ts";
import { ResourceGate } from "./resource-gate.ts";

/** What the gates of a process are opened with. */
export interface GateKeeperOptions extends Omit<GatePorts, "totals" | "listed" | "settled" | "seesDirect"> {
  /** Left out: none sees direct traffic, and `routing: auto` keeps it here. */
  readonly seesDirect?: SeesDirect;
  /** Which DLXs there are; left out: this one alone. */
  readonly peers?: PeerDiscovery;
}

/** A list that takes longer to show this DLX is told of. */
const absenceToldAfterMs: Milliseconds = 5_000;

/** How many ids one line of the log names. */
const mostIdsTold = 10;

/** Who is in the list of DLXs, or why it could not be read. */
interface SeenPeers {
  readonly ids: readonly string[] | undefined;
  readonly problem: string | undefined;
}

async function readIds(peers: PeerDiscovery, signal: AbortSignal): Promise<SeenPeers> {
  try {
    const listed = await peers.listPeers({ signal });
    return { ids: listed.map(({ id }) => id), problem: undefined };
  } catch (error) {
    const { code, message } = toScalerError(error, "SCALER_UNAVAILABLE");
    return { ids: undefined, problem: `the list could not be read: ${code}: ${message}` };
  }
}

/** All gates of a DLX process, and what others ask of them: activity and fences. */
export class GateKeeper implements AsyncDisposable {
  /** Another after each start. */
  readonly process: string = randomUUID();
  readonly #options: GateKeeperOptions;
  readonly #ports: GatePorts;
  readonly #totals = new Totals();
  readonly #gates = new Map<string, ResourceGate>();
  readonly #subscription: Disposable;
  readonly #openedAt: Milliseconds;
  readonly #startedAt: number;
  #isListed: boolean;
  #absentSince: Milliseconds | undefined;
  #isAbsenceTold = false;

  constructor(options: GateKeeperOptions) {
    this.#options = options;
    this.#isListed = options.peers === undefined;
    this.#openedAt = options.clock.monotonic();
    this.#startedAt = options.clock.now();
    this.#ports = {
      ...options,
      seesDirect: options.seesDirect ?? (() => false),
      totals: this.#totals,
      listed: (signal) => this.#untilListed(signal),
      settled: (settleWithinMs, signal) => this.#untilSettled(settleWithinMs, signal),
    };
    this.#subscription = options.catalog.subscribe((change) => this.#learn(change));
  }

  get totals(): Totals {
    return this.#totals;
  }

  /** The gate of a resource that the catalogue knows; undefined for any other. */
  gate(key: string): ResourceGate | undefined {
    const known = this.#gates.get(key);
    if (known !== undefined) return known;
    const entry = this.#options.catalog.get(key);
    return entry === undefined ? undefined : this.#open(entry);
  }

  /** The gate, if there was one to open so far. */
  opened(key: string): ResourceGate | undefined {
    return this.#gates.get(key);
  }

  /** This DLX as others in the same process reach it. */
  readonly peer: DlxPeer = Object.freeze({
    id: this.process,
    readActivity: async () => this.activity(),
    fence: async (ref: ResourceRef, attempt: string) => this.fence(ref, attempt),
  });

  activity(): ActivityReport {
    const resources = [...this.#gates.values()].map(({ key, book, policy }) => {
      const silentMs = policy.streamIdleAfter;
      const lastActivityAt = book.lastActivityAt(silentMs);
      const counts = {
        ref: key,
        inFlight: book.busy(silentMs),
        held: book.held,
        idleForMs: book.idleForMs(silentMs),
        requests: book.requests,
      };
      return lastActivityAt === undefined ? counts : { ...counts, lastActivityAt };
    });
    return {
      process: this.process,
      startedAt: this.#startedAt,
      uptimeMs: this.#options.clock.monotonic() - this.#openedAt,
      resources,
    };
  }

  /**
   * One synchronous step: no request passes between the fence and the counts that are answered. Whoever depends on the
   * resource and is awake for this DLX, or is being woken, counts as held: its wake may have claimed the resource before
   * the mark of the sleep that fences, and would be released to it after.
   */
  fence(ref: ResourceRef, attempt: string): FenceAnswer {
    const key = formatRef(ref);
    const gate = this.#gates.get(key);
    const users = this.#usersOf(key);
    if (gate === undefined) return { process: this.process, attempt, inFlight: 0, held: users };
    const held = gate.book.held + users;
    gate.fence();
    return { process: this.process, attempt, inFlight: gate.book.busy(gate.policy.streamIdleAfter), held };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    await Promise.all([...this.#gates.values()].map((gate) => gate.close()));
    this.#gates.clear();
  }

  #open(entry: CatalogEntry): ResourceGate {
    const gate = new ResourceGate(entry, this.#ports, (signal) => this.#wakeDependencies(entry.key, signal));
    this.#gates.set(entry.key, gate);
    return gate;
  }

  #learn(change: CatalogChange): void {
    if (change.kind === "set") this.#gates.get(change.entry.key)?.update(change.entry);
    if (change.kind === "gone") this.#letGo(change.key);
  }

  /** A gate that still has requests ends with them: it is let go of when the next resource goes, or at the end. */
  #letGo(gone: string): void {
    for (const [key, gate] of this.#gates) {
      if ((key !== gone && this.#options.catalog.get(key) !== undefined) || !gate.quiet) continue;
      this.#gates.delete(key);
      void gate.close();
    }
  }

  async #wakeDependencies(key: string, signal: AbortSignal): Promise<void> {
    const refs = this.#dependenciesOf(key);
    if (refs.length === 0) return;
    this.#refuseCircle(key);
    await Promise.all(refs.map((ref) => this.#demand(key, ref, signal)));
  }

  async #demand(key: string, ref: ResourceRef, signal: AbortSignal): Promise<void> {
    const gate = this.gate(formatRef(ref));
    if (gate === undefined)
      throw new ScalerError("SCALER_NOT_FOUND", `${key} depends on ${formatRef(ref)}, which does not exist`);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([aborted, gate.demand({ by: "dependency", reason: `${key} needs it` }, { afresh: true })]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #usersOf(key: string): number {
    let users = 0;
    for (const gate of this.#gates.values()) {
      if (gate.needsOthers && this.#dependenciesOf(gate.key).some((ref) => formatRef(ref) === key)) users += 1;
    }
    return users;
  }

  #dependenciesOf(key: string): readonly ResourceRef[] {
    // A resource that a list leaves out for a moment still has whoever it needs.
    const entry = this.#options.catalog.get(key) ?? this.#gates.get(key)?.entry;
    if (entry === undefined) return [];
    return entry.resource.policy.dependsOn.map((text) => resolveDependency(text, entry.ref));
  }

  #refuseCircle(start: string): void {
    const seen = new Set<string>();
    const open = [start];
    for (let key = open.pop(); key !== undefined; key = open.pop()) {
      for (const ref of this.#dependenciesOf(key)) {
        const next = formatRef(ref);
        if (next === start) throw new ScalerError("SCALER_BAD_OPTIONS", `${start} depends on itself through ${key}`);
        if (!seen.has(next)) open.push(next);
        seen.add(next);
      }
    }
  }

  /** A DLX that nobody can fence may not forward: it claims only after it has seen itself listed. */
  async #untilListed(signal: AbortSignal): Promise<void> {
    const { peers, clock } = this.#options;
    for (let attempt = 0; !this.#isListed && peers !== undefined; attempt += 1) {
      const self = peers.self ?? this.process;
      const seen = await readIds(peers, signal);
      this.#isListed = seen.ids?.includes(self) === true;
      if (this.#isListed) return;
      this.#tellOfAbsence(self, seen);
      await clock.sleep(backoffMs(attempt, { firstMs: 20, longestMs: 2_000 }), signal);
    }
  }

  /** Once: whoever waits for this is held meanwhile, and somebody has to find out why. */
  #tellOfAbsence(self: string, { ids, problem }: SeenPeers): void {
    const { clock, logger } = this.#options;
    this.#absentSince ??= clock.monotonic();
    if (this.#isAbsenceTold || clock.monotonic() - this.#absentSince < absenceToldAfterMs) return;
    this.#isAbsenceTold = true;
    const listed = ids?.slice(0, mostIdsTold) ?? [];
    const found = problem ?? (listed.length === 0 ? "nobody is listed" : `listed are ${listed.join(", ")}`);
    logger.warn(
      { self, listed, count: ids?.length ?? 0, ...(problem !== undefined && { error: problem }) },
      `this DLX is not in the list of DLXs and holds every request until it is: it looks for ${self}; ${found}`,
    );
  }

  async #untilSettled(settleWithinMs: Milliseconds, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const leftMs = this.#openedAt + settleWithinMs - clock.monotonic();
    if (leftMs > 0) await clock.sleep(leftMs, signal);
  }
}
