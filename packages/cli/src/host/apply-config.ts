import { isDeepStrictEqual } from "node:util";
import { type CatalogEntry, type MetricsSource, pluginId, resolveDefaults, toScalerError } from "@dormouse/core";
import { type AdminSecrets, checkTls } from "../admin/credentials.ts";
import type { AdminServer } from "../admin/open-admin-server.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import type { ResolvedSecrets } from "../config/secrets.ts";
import { builtInSources } from "./built-in-sources.ts";
import { Closing } from "./closing.ts";
import { descriptorLimit } from "./descriptor-limit.ts";
import type { HostEngine, HostState } from "./host-engine.ts";
import { planScalers, type ScalerPlan } from "./plan-scalers.ts";
import { type OpenedScaler, PluginOpener } from "./plugin-opener.ts";
import { tellOfDescriptors, withinDescriptors } from "./within-descriptors.ts";

/** A configuration that takes the place of the one in force. */
export interface NextConfig {
  readonly loaded: LoadedConfig;
  readonly secrets: ResolvedSecrets;
}

/** What has been applied, and what is left to end. */
export interface Applied {
  readonly state: HostState;
  /** Scalers that serve no more, with the resources that they had. */
  readonly leaving: readonly {
    readonly opened: OpenedScaler;
    readonly entries: readonly CatalogEntry[];
    readonly isReplaced: boolean;
  }[];
  /** Closed once the new state is in force. */
  readonly superseded: readonly AsyncDisposable[];
}

/**
 * Takes a configuration into a running host without dropping a request: whatever can be refused comes first, and where a
 * step fails all after it are left and all before it taken back.
 *
 * @throws whatever a step is refused with; the old configuration is in force then, wholly
 */
export async function applyConfig(
  engine: HostEngine,
  state: HostState,
  next: NextConfig,
  openAdmin: (listen: string) => Promise<AdminServer>,
): Promise<Applied> {
  const undo = new Closing(engine.logger);
  try {
    return await new Change(engine, state, next, undo).apply(openAdmin);
  } catch (error) {
    await undo[Symbol.asyncDispose]();
    throw error;
  }
}

class Change {
  readonly #engine: HostEngine;
  readonly #state: HostState;
  readonly #next: NextConfig;
  readonly #undo: Closing;
  readonly #opener: PluginOpener;

  constructor(engine: HostEngine, state: HostState, next: NextConfig, undo: Closing) {
    this.#engine = engine;
    this.#state = state;
    this.#next = next;
    this.#undo = undo;
    this.#opener = new PluginOpener({ ...next, clock: engine.clock, logger: engine.logger });
  }

  async apply(openAdmin: (listen: string) => Promise<AdminServer>): Promise<Applied> {
    const credentials = this.#nextCredentials();
    checkTls(credentials.adminTls);
    const plan = this.#planScalers();
    await this.#tryOpening(plan);
    const opened = await this.#openScalers(plan);
    const sources = await this.#openSources();
    const admin = await this.#openAdmin(openAdmin);
    await this.#reconfigureDlx();
    for (const each of plan.reconfigure) await this.#reconfigureScaler(each);
    const leaving = await this.#swap(plan, opened);
    this.#engine.directSources.reconfigure(this.#next.loaded.config.autoscaler.metrics);
    this.#engine.autoscalerPart?.autoscaler.reconfigure(this.#next.loaded.config.autoscaler, sources);
    this.#engine.credentials.renew(credentials);
    await this.#engine.log.reconfigure(this.#next.loaded.config.log);
    const scalers = this.#inOrder([
      ...plan.keep,
      ...plan.reconfigure.map(({ listed, opened: old }) => ({ ...old, ...listed })),
      ...opened,
    ]);
    return { state: { ...this.#next, scalers, sources, admin }, leaving, superseded: this.#superseded(admin, sources) };
  }

  /** Whether there is TLS, and from where, counts from the next start on; what stands there now counts at once. */
  #nextCredentials(): AdminSecrets {
    const { adminToken, adminTls } = this.#next.secrets;
    const [old, wanted] = [this.#state.loaded.config.admin.tls, this.#next.loaded.config.admin.tls];
    return { adminToken, adminTls: isDeepStrictEqual(old, wanted) ? adminTls : this.#engine.credentials.tls };
  }

  #planScalers(): ScalerPlan {
    const defaults = [this.#state.loaded, this.#next.loaded].map(({ config }) => resolveDefaults(config));
    return planScalers(this.#state.scalers, this.#opener.scalers(), isDeepStrictEqual(defaults[0], defaults[1]));
  }

  /**
   * What a running scaler would refuse is found by an instance that nobody uses: taking back half of a change could drop
   * requests. Opening one starts nothing.
   */
  async #tryOpening({ reconfigure }: ScalerPlan): Promise<void> {
    const tried = await this.#opener.openScalers(reconfigure.map(({ listed }) => listed));
    const closing = new Closing(this.#engine.logger);
    for (const { id, scaler } of tried) closing.add(`scaler ${id}`, scaler);
    await closing[Symbol.asyncDispose]();
  }

  async #openScalers({ open }: ScalerPlan): Promise<readonly OpenedScaler[]> {
    const opened = await this.#opener.openScalers(open.map(({ listed }) => listed));
    for (const { id, scaler } of opened) this.#undo.add(`scaler ${id}`, scaler);
    for (const each of opened) await this.#tryListing(each);
    return opened;
  }

  /** A platform that is away is no reason to refuse; a plugin that answers nonsense is. */
  async #tryListing({ id, scaler }: OpenedScaler): Promise<void> {
    try {
      await scaler.listResources();
    } catch (error) {
      const refused = this.#opener.refuseFault(id, toScalerError(error));
      if (refused !== undefined) throw refused;
    }
  }

  /** Sources that are configured as before go on: they remember what they counted. */
  async #openSources(): Promise<ReadonlyMap<string, MetricsSource>> {
    if (this.#engine.autoscalerPart === undefined) return this.#state.sources;
    const before = new PluginOpener({
      ...this.#state,
      clock: this.#engine.clock,
      logger: this.#engine.logger,
    }).metricsSources();
    const wanted = this.#opener.metricsSources();
    const isKept = (id: string): boolean =>
      isDeepStrictEqual(
        withoutPlace(before.find((each) => each.id === id)),
        withoutPlace(wanted.find((each) => each.id === id)),
      );
    const opened = await this.#opener.openMetricsSources(
      wanted.filter(({ id }) => !isKept(id)),
      builtInSources(this.#engine.peers),
    );
    for (const [id, source] of opened) this.#undo.add(`metrics source ${id}`, source);
    return new Map(
      wanted.flatMap(({ id }) => {
        const source = opened.get(id) ?? this.#state.sources.get(id);
        return source === undefined ? [] : [[id, source]];
      }),
    );
  }

  async #openAdmin(open: (listen: string) => Promise<AdminServer>): Promise<AdminServer> {
    const { listen } = this.#next.loaded.config.admin;
    if (listen === this.#state.loaded.config.admin.listen) return this.#state.admin;
    return this.#undo.add("admin API", await open(listen));
  }

  async #reconfigureDlx(): Promise<void> {
    const [old, wanted] = [this.#state.loaded.config.dlx, this.#next.loaded.config.dlx];
    const { dlxPart, logger } = this.#engine;
    if (dlxPart === undefined || isDeepStrictEqual(old, wanted)) return;
    const { dlx } = dlxPart;
    const descriptors = descriptorLimit();
    await dlx.reconfigure(withinDescriptors(wanted, descriptors));
    tellOfDescriptors(wanted, descriptors, logger);
    this.#undo.addStep("DLX", () => dlx.reconfigure(withinDescriptors(old, descriptors)));
  }

  async #reconfigureScaler({ listed, opened }: ScalerPlan["reconfigure"][number]): Promise<void> {
    const defaultsOf = ({ config }: LoadedConfig) => resolveDefaults(config);
    try {
      await opened.scaler.reconfigure(listed.options, defaultsOf(this.#next.loaded));
    } catch (error) {
      throw this.#opener.refuse(error, listed.place);
    }
    this.#undo.addStep(
      `scaler ${listed.id}`,
      async () => void (await opened.scaler.reconfigure(opened.options, defaultsOf(this.#state.loaded))),
    );
  }

  /** The catalogue follows the new scalers instead of the old ones: routes of what is gone go first. Cannot fail. */
  async #swap({ open, remove }: ScalerPlan, opened: readonly OpenedScaler[]): Promise<Applied["leaving"]> {
    const { catalog } = this.#engine;
    const replaced = open.flatMap(({ old }) => (old === undefined ? [] : [old]));
    const leaving = [...remove, ...replaced].map((old) => ({
      opened: old,
      entries: catalog.list().filter(({ ref }) => ref.scaler === old.id),
      isReplaced: replaced.includes(old),
    }));
    for (const { opened: old } of leaving) await catalog.unfollow(old.id);
    for (const { scaler } of opened) catalog.follow(scaler);
    return leaving;
  }

  #superseded(admin: AdminServer, sources: ReadonlyMap<string, MetricsSource>): AsyncDisposable[] {
    const kept = new Set(sources.values());
    return [
      ...(admin === this.#state.admin ? [] : [this.#state.admin]),
      ...[...this.#state.sources.values()].filter((source) => !kept.has(source)),
    ];
  }

  #inOrder(scalers: readonly OpenedScaler[]): readonly OpenedScaler[] {
    const order = this.#next.loaded.config.scalers.map(pluginId);
    return scalers.toSorted((one, other) => order.indexOf(one.id) - order.indexOf(other.id));
  }
}

function withoutPlace(listed: { readonly place: string } | undefined): object | undefined {
  return listed === undefined ? undefined : { ...listed, place: "" };
}
