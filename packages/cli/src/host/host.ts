import type { DormouseConfig } from "@dormouse/core";
import { type AdminServer, openAdminServer } from "../admin/open-admin-server.ts";
import { observeHost } from "../telemetry/observe-host.ts";
import type { HostEngine, HostState } from "./host-engine.ts";
import { HostView } from "./host-view.ts";
import { logEvents } from "./log-events.ts";
import { Reloader } from "./reloader.ts";
import { watchTlsFiles } from "./watch-tls-files.ts";
import { Closing } from "./closing.ts";

/** A running host: everything in one process, or one of its parts. */
export class Host {
  readonly view: HostView;
  readonly #engine: HostEngine;
  readonly #reloader: Reloader;
  readonly #eventLog: Disposable;
  readonly #life = new AbortController();
  #watching: Promise<void> = Promise.resolve();
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
    const { dlxPart, autoscalerPart } = engine;
    observeHost(engine.telemetry.meter, {
      catalog: () => engine.catalog,
      scalers: () => this.#state.scalers.map(({ id }) => id),
      ...(dlxPart !== undefined && { traffic: (key) => dlxPart.dlx.status(key) }),
      ...(autoscalerPart !== undefined && { leads: () => autoscalerPart.lead.leads }),
      maxSeries: () => this.config.telemetry.maxSeries,
      isConfigRefused: () => engine.configStatus.isRefused,
    });
  }

  /** @throws ConfigError where the admin API cannot listen */
  static async open(engine: HostEngine, state: Omit<HostState, "admin">): Promise<Host> {
    const host = new Host(engine, { ...state, admin: notListening });
    const admin = await host.#openAdmin(state.loaded.config.admin.listen);
    host.#state = { ...host.#state, admin };
    host.#watching = watchTlsFiles({ ...engine, loaded: state.loaded }, host.#life.signal);
    return host;
  }

  /** The configuration in force. */
  get config(): DormouseConfig {
    return this.#state.loaded.config;
  }

  /** Where the host listens, as really bound. */
  get addresses(): { readonly admin: string; readonly dlx: readonly string[] } {
    const dlx = this.#engine.dlxPart?.dlx.addresses.map(({ listen }) => listen) ?? [];
    return { admin: this.#state.admin.address, dlx };
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
    const { clock, dlxPart, parts, catalog, telemetry, logger } = this.#engine;
    const graceMs = dlxPart === undefined ? 0 : this.config.dlx.stopGrace;
    await Promise.all([clock.sleep(graceMs), this.#reloader.idle()]);
    const closing = new Closing(logger);
    closing.add("telemetry", telemetry);
    // Other hosts ask and fence to the end.
    closing.addStep("admin API", () => Promise.resolve(this.#state.admin[Symbol.asyncDispose]()));
    closing.addStep("certificates", () => this.#endWatching());
    closing.addStep("scalers", () => this.endScalers());
    for (const [id, source] of this.#state.sources) closing.add(`metrics source ${id}`, source);
    closing.add("catalogue", catalog);
    closing.add("parts", parts);
    closing.addStep("retired resources", () => this.#reloader.endRetirements());
    // Before them: their last requests, too, are to be answered.
    closing.addStep("drain", async () => void (await dlxPart?.dlx.drain()));
    await closing[Symbol.asyncDispose]();
    this.#eventLog[Symbol.dispose]();
  }

  async #endWatching(): Promise<void> {
    this.#life.abort();
    await this.#watching;
  }

  #openAdmin(listen: string): Promise<AdminServer> {
    const { credentials, clock, logger } = this.#engine;
    const openMetrics = () => this.config.admin.openMetrics;
    return openAdminServer({ host: this.view, listen, credentials, openMetrics, clock, logger });
  }

  #openView(): HostView {
    const autoscalerConfig = () => this.config.autoscaler;
    return new HostView({ ...this.#engine, autoscalerConfig, isStopping: () => this.isStopping });
  }
}

/** Until the admin API listens. */
const notListening: AdminServer = { address: "", [Symbol.asyncDispose]: async () => {} };
