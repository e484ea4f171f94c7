import { type Clock, type ConfigIssue, type DlxConfig, isConfigError, type Logger, type Timer } from "@dormouse/core";
import type { RouteMatch } from "../route/route-table.ts";
import type { ClientConnections } from "./client-connections.ts";
import { HttpListener, type Intake } from "./http-listener.ts";

export interface ListenersOptions {
  readonly connections: ClientConnections;
  readonly intake: Intake;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** A listener that a resource asks for. */
export interface Dedicated {
  readonly listen: string;
  readonly place: string;
  readonly route: RouteMatch;
}

/** A bound address. */
export interface BoundAddress {
  /** `host:port` with the real port. */
  readonly listen: string;
  /** Printed ref of a dedicated listener's resource. */
  readonly resource?: string;
}

/**
 * The shared listeners and the dedicated ones of a front. New ones open before old ones close. A dedicated one that
 * nobody asks for any more goes on accepting for `stopGrace`: whoever sends traffic there learns of it later than the
 * DLX does.
 */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #shared = new Map<string, HttpListener>();
  readonly #dedicated = new Map<string, HttpListener>();
  /** When those of the dedicated ones close that nobody asks for. */
  readonly #leaving = new Map<string, Timer>();
  #config: DlxConfig;

  constructor(config: DlxConfig, options: ListenersOptions) {
    this.#config = config;
    this.#options = options;
  }

  get addresses(): readonly BoundAddress[] {
    const shared = [...this.#shared.values()].map(({ address }) => ({ listen: address }));
    const staying = [...this.#dedicated.values()].filter(({ listen }) => !this.#leaving.has(listen));
    const dedicated = staying.map(({ address, route }) => ({
      listen: address,
      ...(route !== undefined && { resource: route.key }),
    }));
    return [...shared, ...dedicated];
  }

  /** Listens where the configuration says, all or nothing: rejects with a ConfigError, and what listened before goes on. */
  async share(config: DlxConfig): Promise<void> {
    const wanted = new Set([config.listen].flat());
    const opened: HttpListener[] = [];
    try {
      for (const listen of wanted)
        if (!this.#shared.has(listen)) opened.push(await this.#open(config, listen, "dlx.listen"));
    } catch (error) {
      for (const listener of opened) listener.close();
      throw error;
    }
    this.#config = config;
    for (const listener of opened) this.#shared.set(listener.listen, listener);
    closeUnwanted(this.#shared, wanted);
    for (const listener of [...this.#shared.values(), ...this.#dedicated.values()]) listener.reconfigure(config);
  }

  /** Listens for resources; what cannot be had is left out and returned. */
  async dedicate(all: readonly Dedicated[]): Promise<readonly ConfigIssue[]> {
    const issues: ConfigIssue[] = [];
    for (const { listen, place, route } of all) {
      const known = this.#dedicated.get(listen);
      if (known !== undefined) known.route = route;
      else {
        const opened = await this.#open(this.#config, listen, place, route).catch((error: unknown) =>
          issues.push(...toIssues(error)),
        );
        if (typeof opened !== "number") this.#dedicated.set(listen, opened);
      }
    }
    this.#leave(new Set(all.map(({ listen }) => listen)));
    return issues;
  }

  /** Takes no more connections anywhere. */
  close(): void {
    for (const timer of this.#leaving.values()) timer.cancel();
    this.#leaving.clear();
    closeUnwanted(this.#shared, new Set());
    closeUnwanted(this.#dedicated, new Set());
  }

  #leave(wanted: ReadonlySet<string>): void {
    for (const listen of wanted) {
      this.#leaving.get(listen)?.cancel();
      this.#leaving.delete(listen);
    }
    const { stopGrace } = this.#config;
    if (stopGrace === 0) return closeUnwanted(this.#dedicated, wanted);
    for (const listen of this.#dedicated.keys()) {
      if (wanted.has(listen) || this.#leaving.has(listen)) continue;
      const end = (): void => {
        this.#leaving.delete(listen);
        this.#dedicated.get(listen)?.close();
        this.#dedicated.delete(listen);
      };
      this.#leaving.set(listen, this.#options.clock.setTimer(stopGrace, end, { unref: true }));
    }
  }

  #open(config: DlxConfig, listen: string, place: string, route?: RouteMatch): Promise<HttpListener> {
    const { connections, intake } = this.#options;
    return HttpListener.open({ listen, place, config, connections, intake, ...(route !== undefined && { route }) });
  }
}

function closeUnwanted(listeners: Map<string, HttpListener>, wanted: ReadonlySet<string>): void {
  for (const [listen, listener] of listeners) {
    if (wanted.has(listen)) continue;
    listener.close();
    listeners.delete(listen);
  }
}

function toIssues(error: unknown): readonly ConfigIssue[] {
  if (isConfigError(error)) return error.issues;
  throw error;
}
