import {
  type Clock,
  type ConfigIssue,
  type DlxConfig,
  formatRef,
  type Logger,
  type Milliseconds,
  type Policy,
  type Route,
  type Timer,
} from "@dormouse/core";
import { Http1Forwarder } from "../forward/http1-forwarder.ts";
import { Networks } from "../forward/networks.ts";
import type { Gate, ReachedTarget, Upstreams } from "../gate/passage.ts";
import { ClientConnections } from "../listen/client-connections.ts";
import { type BoundAddress, type Dedicated, Listeners } from "../listen/listeners.ts";
import { describeConflict, findConflicts } from "../route/find-conflicts.ts";
import { RouteTable } from "../route/route-table.ts";
import type { FrontState } from "./front-state.ts";
import { createIntake } from "./intake.ts";
import type { RequestRecorder } from "./request-recorder.ts";
import { StartingRoom } from "./starting-room.ts";
import { openTracing } from "./tracing.ts";

/** How long a request waits for a route while some scaler has not listed yet. */
const startingHoldMs = 10_000;

/** From one try to have a dedicated listener's address to the next. */
const dedicateEveryMs = 5_000;

export interface FrontOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: DlxConfig;
  /** @param key printed ref; undefined: no such resource */
  readonly gateOf: (key: string) => Gate | undefined;
  readonly policyOf: (key: string) => Policy;
  /** Whether some scaler has not listed yet, so that a missing route proves nothing. */
  readonly starting: () => boolean;
  /** Whether a resource's own traffic no longer comes here: clients are asked to leave. */
  readonly direct?: (key: string) => boolean;
  readonly recorder: RequestRecorder;
  /** 10 s by default. */
  readonly startingHoldMs?: Milliseconds;
}

/** The HTTP side of a DLX: listeners, routes and forwarding. Gates decide when a request may go. */
export interface Front extends AsyncDisposable, Upstreams {
  /** Bound addresses with their real ports, the shared ones first. */
  readonly addresses: readonly BoundAddress[];
  /** Requests under way, held ones and upgraded connections among them. */
  readonly active: number;
  readonly draining: boolean;
  /**
   * Replaces all routes. Of two that match the same requests the first stays, and the other is left out with a warning.
   * Resolves with the dedicated listeners that cannot be had now; they are tried again every 5 s.
   */
  setRoutes(routes: readonly Route[]): Promise<readonly ConfigIssue[]>;
  /** Takes new limits, trusted proxies and addresses; rejects with a ConfigError, and then the old ones stay. */
  reconfigure(config: DlxConfig): Promise<void>;
  /** Takes no more connections, waits for what runs within `drainTimeout`, and cuts off the rest; resolves with how much that was. */
  drain(): Promise<number>;
}

/** Opens the HTTP side. Resolves once it listens; rejects with a ConfigError where an address cannot be had, and nothing is left open. */
export async function openFront(options: FrontOptions): Promise<Front> {
  const front = new HttpFront(options);
  await front.reconfigure(options.config);
  return front;
}

class HttpFront implements Front {
  readonly #state: FrontState;
  readonly #forwarder = new Http1Forwarder();
  readonly #connections = new ClientConnections();
  readonly #listeners: Listeners;
  readonly #warned = { routes: "", listeners: "" };
  #dedicated: readonly Dedicated[] = [];
  #retry: Timer | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #drained: Promise<number> | undefined;

  constructor(options: FrontOptions) {
    const { clock, logger, config, recorder, gateOf, policyOf, starting, direct } = options;
    const limits = { longestMs: options.startingHoldMs ?? startingHoldMs, limit: () => this.#state.config.maxHeld };
    this.#state = {
      clock,
      logger,
      config,
      recorder,
      gateOf,
      policyOf,
      forwarder: this.#forwarder,
      startingRoom: new StartingRoom({ clock, ...limits }),
      tracing: openTracing(),
      isStarting: starting,
      isDirect: direct ?? (() => false),
      table: new RouteTable([]),
      trusted: new Networks(config.trustedProxies),
      isDraining: false,
      active: 0,
      onIdle: () => {},
    };
    const intake = createIntake(this.#state);
    this.#listeners = new Listeners(config, { connections: this.#connections, intake, logger, clock });
  }

  get addresses(): readonly BoundAddress[] {
    return this.#listeners.addresses;
  }

  get active(): number {
    return this.#state.active;
  }

  get draining(): boolean {
    return this.#state.isDraining;
  }

  setRoutes(routes: readonly Route[]): Promise<readonly ConfigIssue[]> {
    const conflicts = findConflicts(routes);
    this.#warn("routes", conflicts.map(describeConflict));
    const left = new Set(conflicts.flatMap((conflict) => conflict.left));
    const kept = routes.filter((route) => !left.has(route));
    this.#state.table = new RouteTable(kept);
    this.#dedicated = kept.flatMap((route) => toDedicated(route));
    this.#state.startingRoom.look();
    return this.#inTurn(() => this.#dedicate());
  }

  reconfigure(config: DlxConfig): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state.isDraining) return;
      await this.#listeners.share(config);
      this.#state.config = config;
      this.#state.trusted = new Networks(config.trustedProxies);
    });
  }

  retire(target: ReachedTarget): void {
    this.#forwarder.retire(target);
  }

  drain(): Promise<number> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state.isDraining = true;
    this.#retry?.cancel();
    this.#state.startingRoom.close();
    await this.#inTurn(async () => this.#listeners.close());
    this.#connections.destroyAll();
    this.#forwarder.close();
  }

  async #drain(): Promise<number> {
    const { clock, logger } = this.#state;
    this.#state.isDraining = true;
    this.#retry?.cancel();
    await this.#inTurn(async () => this.#listeners.close());
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(this.#state.config.drainTimeout, resolve);
      this.#state.onIdle = () => {
        timer.cancel();
        resolve();
      };
      if (this.#state.active === 0) this.#state.onIdle();
    });
    this.#state.onIdle = () => {};
    const cut = this.#state.active;
    if (cut > 0) logger.warn({ cut }, "the drain's time is over: cut off what was still running");
    this.#connections.destroyAll();
    return cut;
  }

  async #dedicate(): Promise<readonly ConfigIssue[]> {
    if (this.#state.isDraining) return [];
    this.#retry?.cancel();
    const issues = await this.#listeners.dedicate(this.#dedicated);
    this.#warn(
      "listeners",
      issues.map(({ place, problem }) => `${place} ${problem}`),
    );
    if (issues.length > 0) {
      this.#retry = this.#state.clock.setTimer(dedicateEveryMs, () => void this.#inTurn(() => this.#dedicate()), {
        unref: true,
      });
    }
    return issues;
  }

  /** One change of listeners after the other. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  /** Each problem once, not with every change of routes. */
  #warn(of: "routes" | "listeners", problems: readonly string[]): void {
    const text = problems.join("\n");
    if (text === this.#warned[of]) return;
    this.#warned[of] = text;
    for (const problem of problems) this.#state.logger.warn({ problem }, "left out a route");
  }
}

function toDedicated(route: Route): readonly Dedicated[] {
  if (route.listen === undefined) return [];
  return [{ listen: route.listen, place: `${route.origin}: listen`, route: { route, key: formatRef(route.ref) } }];
}
