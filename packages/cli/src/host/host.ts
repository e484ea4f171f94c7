import type { DormouseConfig } from "@dormouse/core";
import { type AdminServer, openAdminServer } from "../admin/open-admin-server.ts";
import { observeHost } from "../telemetry/observe-host.ts";
import type { HostEngine, HostState } from "./host-engine.ts";
import { HostView } from "./host-view.ts";
import { logEvents } from "./log-events.ts";
import { Reloader } from "./reloader.ts";
import { Closing } from "./closing.ts";

/** A running host: everything in one process. */
export class Host {
  readonly view: HostView;
  readonly #engine: HostEngine;
  readonly #reloader: Reloader;
  readonly #eventLog: Disposable;
  #state: HostState;
  #stopping: Promise<void> | undefined;

  private constructor(engine: HostEngine, state: HostState) {
    this.#engine = engine;
    this.#state = state;
    this.#eventLog = logEvents(engine.journal, engine.logger);
    this.view = this.#openView();
    this.#reloader = new Reloader(engine, {
      read: () => this.#state,
      write: (next) => (this.#state = next),
      openAdmin: (listen) => this.#openAdmin(listen),
    });
    observeHost(engine.telemetry.meter, {
      catalog: () => engine.catalog,
      scalers: () => this.#state.scalers.map(({ id }) => id),
      traffic: (key) => engine.dlx.status(key),
      maxSeries: () => this.config.telemetry.maxSeries,
      isConfigRefused: () => engine.configStatus.isRefused,
    });
  }

  /** @throws ConfigError where the admin API cannot listen */
  static async open(engine: HostEngine, state: Omit<HostState, "admin">): Promise<Host> {
    const host = new Host(engine, { ...state, admin: notListening });
    const admin = await host.#openAdmin(state.loaded.config.admin.listen);
    host.#state = { ...host.#state, admin };
    return host;
  }

  /** The configuration in force. */
  get config(): DormouseConfig {
    return this.#state.loaded.config;
  }

  /** Where the host listens, as really bound. */
  get addresses(): { readonly admin: string; readonly dlx: readonly string[] } {
    return { admin: this.#state.admin.address, dlx: this.#engine.dlx.addresses.map(({ listen }) => listen) };
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Takes in a new version of the configuration file, or says why not and leaves everything as it is. Never rejects. */
  async reload(text: string, by: string): Promise<void> {
    if (!this.isStopping) await this.#reloader.reload(text, by);
  }

  /** Stops in order: no new requests after the grace, held and running ones finish within the drain limit, then all is closed. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Stops what the scalers run, for an end that cannot be in order. */
  async endScalers(): Promise<void> {
    await Promise.allSettled(this.#state.scalers.map(({ scaler }) => scaler[Symbol.asyncDispose]()));
  }

  async #stop(): Promise<void> {
    const { clock, dlx, autoscaler, catalog, routeSources, telemetry, logger } = this.#engine;
    await Promise.all([clock.sleep(this.config.dlx.stopGrace), this.#reloader.idle()]);
    const closing = new Closing(logger);
    closing.add("telemetry", telemetry);
    closing.addStep("admin API", () => Promise.resolve(this.#state.admin[Symbol.asyncDispose]()));
    closing.addStep("scalers", () => this.endScalers());
    for (const [id, source] of this.#state.sources) closing.add(`metrics source ${id}`, source);
    for (const source of routeSources) closing.add("route source", source);
    closing.add("catalogue", catalog);
    closing.add("DLX", dlx);
    closing.add("autoscaler", autoscaler);
    closing.addStep("retired resources", () => this.#reloader.endRetirements());
    // Before them: their last requests, too, are to be answered.
    closing.addStep("drain", async () => void (await dlx.drain()));
    await closing[Symbol.asyncDispose]();
    this.#eventLog[Symbol.dispose]();
  }

  #openAdmin(listen: string): Promise<AdminServer> {
    const access = () => ({ token: this.#state.secrets.adminToken, openMetrics: this.config.admin.openMetrics });
    return openAdminServer({ host: this.view, listen, access, clock: this.#engine.clock, logger: this.#engine.logger });
  }

  #openView(): HostView {
    const { clock, journal, catalog, dlx, autoscaler, configStatus, telemetry } = this.#engine;
    return new HostView({
      clock,
      journal,
      catalog,
      dlx,
      autoscaler,
      configStatus,
      autoscalerConfig: () => this.config.autoscaler,
      isStopping: () => this.isStopping,
      metrics: () => telemetry.read(),
    });
  }
}

/** Until the admin API listens. */
const notListening: AdminServer = { address: "", [Symbol.asyncDispose]: async () => {} };
