import {
  type Clock,
  ConfigError,
  type DlxConfig,
  type DlxPeer,
  type EventJournal,
  formatRef,
  type Logger,
  type PeerDiscovery,
  type ResourceCatalog,
  type ResourceRef,
  type Route,
  type RouteSource,
  type ScaleEvent,
  ScalerError,
  type SeesDirect,
  type SleepGate,
  defaultPolicy,
} from "@dormouse/core";
import { type DlxResourceStatus, toStatus } from "./dlx-status.ts";
import { type Front, openFront } from "./exchange/open-front.ts";
import { followRoutes } from "./follow-routes.ts";
import { dial } from "./gate/dial.ts";
import { GateKeeper } from "./gate/gate-keeper.ts";
import type { ReachedTarget } from "./gate/passage.ts";
import type { BoundAddress } from "./listen/listeners.ts";
import { RequestTelemetry } from "./request-telemetry.ts";
import { fromResources, policyRoutes, portRoutes } from "./route/resource-routes.ts";

/** What a DLX is opened with. */
export interface DlxOptions {
  readonly catalog: ResourceCatalog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly journal: EventJournal;
  readonly config: DlxConfig;
  /** Shared with the autoscaler of the same process. */
  readonly sleepGate: SleepGate;
  /** Which DLXs there are; left out: this one alone. */
  readonly peers?: PeerDiscovery;
  /** Which metrics sources see traffic that passes no DLX, as the autoscaler is told it; left out: none. */
  readonly seesDirect?: SeesDirect;
  /** Further routes; the resources' own policies come first. */
  readonly routeSources?: readonly RouteSource[];
}

/** Who wakes a resource by hand, and why. */
export interface WakeOptions {
  /** Who asks: `operator`, for example. */
  readonly by: string;
  readonly reason: string;
  /** Gives up the waiting, not the wake. */
  readonly signal?: AbortSignal;
}

/** The part of Dormouse that receives requests, holds them for sleeping resources, wakes these and forwards. */
export interface Dlx extends AsyncDisposable {
  /** Id of this process: another after each start. */
  readonly process: string;
  /** This DLX as others in the same process reach it: activity and fences. */
  readonly peer: DlxPeer;
  /** Bound addresses with their real ports, the shared ones first. */
  readonly addresses: readonly BoundAddress[];
  /** Stopping: connections are not accepted any more. */
  readonly draining: boolean;
  /** @param key printed ref */
  status(key: string): DlxResourceStatus;
  /**
   * Wakes a resource as a request would; nothing happens to one that is awake. Resolves with the event once it takes
   * requests; rejects with a ScalerError: `SCALER_NOT_FOUND`, or what the wake failed with.
   */
  wake(ref: ResourceRef, options: WakeOptions): Promise<ScaleEvent>;
  /** Takes new limits, trusted proxies and addresses; rejects with a ConfigError, and then the old ones stay. */
  reconfigure(config: DlxConfig): Promise<void>;
  /** Takes no more connections and finishes what is held and in flight within `drainTimeout`; resolves with how many were cut off. */
  drain(): Promise<number>;
}

/** Opens a DLX. Resolves once it listens; rejects with a ConfigError where an address cannot be had, and leaves nothing open. */
export async function openDlx(options: DlxOptions): Promise<Dlx> {
  const telemetry = new RequestTelemetry();
  let config = options.config;
  let front: Front | undefined;
  const keeper = new GateKeeper({
    ...options,
    dial,
    limits: () => config,
    upstreams: { retire: (target: ReachedTarget) => front?.retire(target) },
  });
  try {
    front = await openFront({
      ...options,
      gateOf: (key) => keeper.gate(key),
      policyOf: (key) => keeper.gate(key)?.policy ?? defaultPolicy,
      starting: () => options.catalog.unlisted().length > 0,
      direct: (key) => keeper.opened(key)?.restored === true,
      recorder: telemetry,
    });
    await setFirstRoutes(front, options.catalog);
  } catch (error) {
    await closeAll(undefined, front, keeper, telemetry);
    throw error;
  }
  return new OpenedDlx({ options, front, keeper, telemetry, configured: (next) => void (config = next) });
}

interface Parts {
  readonly options: DlxOptions;
  readonly front: Front;
  readonly keeper: GateKeeper;
  readonly telemetry: RequestTelemetry;
  readonly configured: (config: DlxConfig) => void;
}

class OpenedDlx implements Dlx {
  readonly #parts: Parts;
  readonly #routes: AsyncDisposable;

  constructor(parts: Parts) {
    const { options, front } = parts;
    const { catalog, clock, logger, routeSources = [] } = options;
    this.#parts = parts;
    const changed = (routes: readonly Route[]): void => void front.setRoutes(routes);
    this.#routes = followRoutes({ sources: [fromResources(catalog), ...routeSources], clock, logger, changed });
  }

  get process(): string {
    return this.#parts.keeper.process;
  }

  get peer(): DlxPeer {
    return this.#parts.keeper.peer;
  }

  get addresses(): readonly BoundAddress[] {
    return this.#parts.front.addresses;
  }

  get draining(): boolean {
    return this.#parts.front.draining;
  }

  status(key: string): DlxResourceStatus {
    return toStatus(this.#parts.keeper.opened(key));
  }

  async wake(ref: ResourceRef, { by, reason, signal }: WakeOptions): Promise<ScaleEvent> {
    const { keeper, options } = this.#parts;
    const key = formatRef(ref);
    const gate = keeper.gate(key);
    if (gate === undefined) throw new ScalerError("SCALER_NOT_FOUND", `there is no resource ${key}`);
    const before = gate.lastWake;
    await orAborted(gate.demand({ by, reason }), signal);
    if (gate.lastWake !== undefined && gate.lastWake !== before) return gate.lastWake;
    return {
      id: 0,
      at: options.clock.now(),
      kind: "wake",
      resource: key,
      by,
      reason: "it was awake already",
      outcome: "done",
    };
  }

  async reconfigure(config: DlxConfig): Promise<void> {
    await this.#parts.front.reconfigure(config);
    this.#parts.configured(config);
  }

  drain(): Promise<number> {
    return this.#parts.front.drain();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { front, keeper, telemetry } = this.#parts;
    await closeAll(this.#routes, front, keeper, telemetry);
  }
}

async function closeAll(
  routes: AsyncDisposable | undefined,
  front: Front | undefined,
  keeper: GateKeeper,
  telemetry: RequestTelemetry,
): Promise<void> {
  await routes?.[Symbol.asyncDispose]();
  await front?.[Symbol.asyncDispose]();
  await keeper[Symbol.asyncDispose]();
  telemetry[Symbol.dispose]();
}

/**
 * What is listed already is routed before anything else, so that a dedicated listener that somebody wrote and that cannot
 * be had is an error and no warning. One that a platform chose is tried again: it is nobody's mistake here.
 */
async function setFirstRoutes(front: Front, catalog: ResourceCatalog): Promise<void> {
  const entries = catalog.list();
  const written = entries.flatMap((entry) => policyRoutes(entry));
  const issues = await front.setRoutes(written);
  if (issues.length > 0) throw new ConfigError(issues);
  await front.setRoutes([...written, ...entries.flatMap((entry) => portRoutes(entry))]);
}

function orAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new ScalerError("SCALER_ABORTED", "the wait was given up; the wake goes on"));
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
