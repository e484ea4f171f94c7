import {
  type ActivityReport,
  callWithDeadline,
  type Clock,
  type DlxPeer,
  type Milliseconds,
  type PeerDiscovery,
  type ResourceActivity,
  toScalerError,
} from "@dormouse/core";
import type { DlxResourceStatus } from "@dormouse/dlx";
import type { HostTraffic, SilentDlx } from "./host-traffic.ts";

/** How long the DLXs may take to answer. Whoever looks waits for it. */
const deadlineMs: Milliseconds = 1_000;
/** Numbers that are no older than this are not asked for again. */
const freshMs: Milliseconds = 250;

interface Told {
  readonly uptimeMs: Milliseconds;
  readonly resources: ReadonlyMap<string, ResourceActivity>;
}

/**
 * What the DLXs of other hosts have, all together, for display: each sleep asks them by itself. A DLX that does not answer
 * is left out of the sums and named.
 */
export class PeerTraffic implements HostTraffic, AsyncDisposable {
  readonly #peers: PeerDiscovery;
  readonly #clock: Clock;
  readonly #life = new AbortController();
  #told: readonly Told[] = [];
  #silent: readonly SilentDlx[] = [];
  #at: Milliseconds = -Infinity;
  #running: Promise<void> | undefined;

  constructor(peers: PeerDiscovery, clock: Clock) {
    this.#peers = peers;
    this.#clock = clock;
  }

  get silent(): readonly SilentDlx[] {
    return this.#silent;
  }

  status(key: string): DlxResourceStatus {
    const seen = this.#told.flatMap(({ resources }) => resources.get(key) ?? []);
    const sum = (member: "held" | "inFlight" | "requests"): number =>
      seen.reduce((total, activity) => total + activity[member], 0);
    const last = seen.flatMap(({ lastActivityAt }) => lastActivityAt ?? []);
    return {
      licensed: false,
      held: sum("held"),
      inFlight: sum("inFlight"),
      requests: sum("requests"),
      idleForMs: this.#idleForMs(key),
      backoffLeftMs: 0,
      targets: [],
      ...(last.length > 0 && { lastActivityAt: Math.max(...last) }),
    };
  }

  /** One asking at a time; who comes meanwhile waits for the same. */
  refresh(): Promise<void> {
    if (this.#clock.monotonic() - this.#at < freshMs || this.#life.signal.aborted) return Promise.resolve();
    this.#running ??= this.#refresh().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    await this.#running;
  }

  async #refresh(): Promise<void> {
    try {
      const peers = await this.#call("the list of DLXs", (signal) => this.#peers.listPeers({ signal }));
      const answers = await Promise.all(peers.map((peer) => this.#readPeer(peer)));
      this.#told = answers.flatMap((answer) => ("resources" in answer ? [toTold(answer)] : []));
      this.#silent = answers.flatMap((answer) => ("resources" in answer ? [] : [answer]));
    } catch (error) {
      this.#told = [];
      this.#silent = [{ id: "the list of DLXs", code: toScalerError(error, "SCALER_UNAVAILABLE").code }];
    } finally {
      this.#at = this.#clock.monotonic();
    }
  }

  async #readPeer(peer: DlxPeer): Promise<ActivityReport | SilentDlx> {
    try {
      return await this.#call(`DLX ${peer.id}`, (signal) => peer.readActivity({ signal }));
    } catch (error) {
      return { id: peer.id, code: toScalerError(error, "SCALER_UNAVAILABLE").code };
    }
  }

  #call<Result>(what: string, call: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const limit = { clock: this.#clock, afterMs: deadlineMs, signal: this.#life.signal, what };
    return callWithDeadline(limit, call);
  }

  /** A DLX that was never asked for it has been idle for as long as it runs. */
  #idleForMs(key: string): Milliseconds {
    const idle = this.#told.map(({ uptimeMs, resources }) => resources.get(key)?.idleForMs ?? uptimeMs);
    return idle.length === 0 ? 0 : Math.min(...idle);
  }
}

function toTold({ uptimeMs, resources }: ActivityReport): Told {
  return { uptimeMs, resources: new Map(resources.map((activity) => [activity.ref, activity])) };
}
