import {
  type Clock,
  type GuardedScaler,
  isScalerError,
  loadPort,
  loadScaler,
  type Logger,
  type MetricsSource,
  openPort,
  openScaler,
  type PluginConfig,
  pluginId,
  type PeerDiscovery,
  type PeerDiscoveryContext,
  type LeaderElector,
  type PluginContext,
  type PortContexts,
  type PortInstances,
  type PortKind,
  type PortPlugin,
  resolveDefaults,
  type RouteSource,
  type ScalerError,
  type ScalerPlugin,
} from "@dormouse/core";
import type { LoadedConfig } from "../config/load-config.ts";
import { RefusedConfig } from "../config/refused-config.ts";
import type { ResolvedSecrets } from "../config/secrets.ts";
import { StartFailure } from "./start-failure.ts";

export interface PluginOpenerOptions {
  readonly loaded: LoadedConfig;
  readonly secrets: ResolvedSecrets;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One plugin in a list of the configuration. */
export interface ListedPlugin {
  readonly id: string;
  readonly use: string;
  /** As configured, with secrets in it. */
  readonly options: unknown;
  /** Of the entry, such as `scalers[0]`. */
  readonly place: string;
}

/** An open scaler with what it was opened from. */
export interface OpenedScaler extends ListedPlugin {
  readonly plugin: ScalerPlugin;
  readonly scaler: GuardedScaler;
}

type BuiltIn<Kind extends PortKind> = Readonly<Record<string, PortPlugin<Kind>>>;

/** Opens the plugins that a configuration names; what they refuse is a RefusedConfig with places. */
export class PluginOpener {
  readonly #options: PluginOpenerOptions;

  constructor(options: PluginOpenerOptions) {
    this.#options = options;
  }

  /** The scalers as configured, with their secrets; nothing is opened. */
  scalers(): readonly ListedPlugin[] {
    return this.#listed(this.#options.loaded.config.scalers, "scalers");
  }

  /** Loads a scaler's plugin. @throws RefusedConfig */
  loadScaler(listed: ListedPlugin): Promise<ScalerPlugin> {
    return this.#refusing(`${listed.place}.use`, () => loadScaler(listed.use, this.#origins));
  }

  /** Loads and opens one scaler. @throws RefusedConfig, StartFailure */
  async openScaler(listed: ListedPlugin): Promise<OpenedScaler> {
    const plugin = await this.loadScaler(listed);
    const { clock, logger, loaded } = this.#options;
    const defaults = resolveDefaults(loaded.config);
    const context = { id: listed.id, clock, logger: logger.child({ scaler: listed.id }), defaults };
    const place = `${listed.place}.options`;
    const scaler = await this.#refusing(listed.place, () => openScaler(plugin, listed.options, context, { place }));
    return { ...listed, plugin, scaler };
  }

  /** Opens several scalers at once: all of them or, with every problem found, none. */
  openScalers(listed: readonly ListedPlugin[]): Promise<readonly OpenedScaler[]> {
    return openAll(
      listed.map((each) => () => this.openScaler(each)),
      ({ scaler }) => scaler,
    );
  }

  /** The metrics sources as configured; nothing is opened. */
  metricsSources(): readonly ListedPlugin[] {
    return this.#listed(this.#options.loaded.config.autoscaler.metrics, "autoscaler.metrics");
  }

  /** Metrics sources by id, in the order given. */
  async openMetricsSources(
    listed: readonly ListedPlugin[],
    builtIn: BuiltIn<"metricsSource">,
  ): Promise<Map<string, MetricsSource>> {
    const opened = await openAll(
      listed.map((each) => () => this.#openPort("metricsSource", each, builtIn, this.#contextOf(each))),
      (source) => source,
    );
    return new Map(opened.map((source, index) => [listed[index]?.id ?? "", source]));
  }

  /** All route sources besides the resources' own policies. */
  openRouteSources(): Promise<readonly RouteSource[]> {
    const listed = this.#listed(this.#options.loaded.config.dlx.routes, "dlx.routes");
    return openAll(
      listed.map((each) => () => this.#openPort("routeSource", each, {}, this.#contextOf(each))),
      (source) => source,
    );
  }

  /** The peer discovery; undefined where none is configured. */
  async openPeers(
    builtIn: BuiltIn<"peerDiscovery">,
    connect: PeerDiscoveryContext["connect"],
  ): Promise<PeerDiscovery | undefined> {
    const listed = this.#listedInCluster("peers");
    if (listed === undefined) return undefined;
    return this.#openPort("peerDiscovery", listed, builtIn, { ...this.#contextOf(listed), connect });
  }

  /** The leader elector; undefined where none is configured. */
  async openLeader(): Promise<LeaderElector | undefined> {
    const listed = this.#listedInCluster("leader");
    return listed === undefined ? undefined : this.#openPort("leaderElector", listed, {}, this.#contextOf(listed));
  }

  async #openPort<Kind extends PortKind>(
    kind: Kind,
    listed: ListedPlugin,
    builtIn: BuiltIn<Kind>,
    context: PortContexts[Kind],
  ): Promise<PortInstances[Kind]> {
    const plugin = await this.#refusing(`${listed.place}.use`, () =>
      loadPort(kind, listed.use, { ...this.#origins, builtIn }),
    );
    const place = `${listed.place}.options`;
    return this.#refusing(listed.place, () => openPort(plugin, listed.options, context, { place }));
  }

  #contextOf({ id }: ListedPlugin): PluginContext {
    const { clock, logger } = this.#options;
    return { id, clock, logger: logger.child({ source: id }) };
  }

  get #origins() {
    const { loaded } = this.#options;
    return { configFolder: loaded.folder, pluginDir: loaded.config.pluginDir, hostUrl: import.meta.url };
  }

  #listed(plugins: readonly PluginConfig[], place: string): readonly ListedPlugin[] {
    return plugins.map((plugin, index) => this.#listedAt(plugin, `${place}[${index}]`));
  }

  #listedInCluster(kind: "peers" | "leader"): ListedPlugin | undefined {
    const plugin = this.#options.loaded.config.cluster[kind];
    return plugin === undefined ? undefined : this.#listedAt(plugin, `cluster.${kind}`);
  }

  #listedAt(plugin: PluginConfig, place: string): ListedPlugin {
    const options = this.#options.secrets.optionsAt(`${place}.options`, plugin.options);
    return { id: pluginId(plugin), use: plugin.use, options, place };
  }

  /** What a plugin's failure means for the start: a RefusedConfig where the configuration has to change. */
  refuse(error: unknown, place: string): Error {
    const { loaded } = this.#options;
    const refused = loaded.refuse(error, place);
    if (refused !== undefined) return refused;
    if (!isScalerError(error)) return error instanceof Error ? error : new Error(String(error));
    return new StartFailure(`${loaded.file}: ${place}: ${error.code}: ${error.message}`, { cause: error });
  }

  /**
   * The refusal of a plugin whose list fails by a fault of its own, or is outside the contract: it will never have another,
   * so that is a mistake in the installation. Undefined where the platform is what fails.
   */
  refuseFault(scaler: string, { code, message }: ScalerError): RefusedConfig | undefined {
    const listed = this.scalers().find(({ id }) => id === scaler);
    if (listed === undefined || !(code === "SCALER_INTERNAL" || code.startsWith("PLUGIN_"))) return undefined;
    const mend = "use a version of the plugin that keeps the contract, or leave it out";
    return this.#options.loaded.refuseIssues([{ place: `${listed.place}.use`, problem: message, mend }]);
  }

  async #refusing<Result>(place: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw this.refuse(error, place);
    }
  }
}

/** Opens everything at once; where anything fails, closes the rest again and tells all reasons. */
async function openAll<Opened>(
  openings: readonly (() => Promise<Opened>)[],
  disposable: (opened: Opened) => AsyncDisposable,
): Promise<readonly Opened[]> {
  const results = await Promise.allSettled(openings.map((open) => open()));
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  const opened = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (failures.length === 0) return opened;
  await Promise.allSettled(opened.map(async (each) => disposable(each)[Symbol.asyncDispose]()));
  const refusals = failures.filter((failure) => failure instanceof RefusedConfig);
  throw refusals.length > 0 ? new RefusedConfig(refusals.flatMap(({ problems }) => problems)) : failures[0];
}
