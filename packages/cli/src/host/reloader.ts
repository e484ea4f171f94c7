import { isDeepStrictEqual } from "node:util";
import { formatRef, type DormouseConfig } from "@dormouse/core";
import type { AdminServer } from "../admin/open-admin-server.ts";
import { checkWrittenResources } from "../config/check-config.ts";
import { type LoadedConfig, parseConfigText } from "../config/load-config.ts";
import { RefusedConfig } from "../config/refused-config.ts";
import { writtenResources } from "../config/written-resources.ts";
import { metricFacts } from "../telemetry/metric-table.ts";
import { applyConfig, type Applied } from "./apply-config.ts";
import type { HostEngine, HostState } from "./host-engine.ts";
import { checkRole } from "./host-role.ts";
import { resolveConfigSecrets } from "./resolve-config-secrets.ts";
import { type RetiredResource, Retirements } from "./retirements.ts";

/** The host whose configuration changes. */
export interface ReloadTarget {
  read(): HostState;
  /** Puts a state in force, in one step. */
  write(state: HostState): void;
  openAdmin(listen: string): Promise<AdminServer>;
}

/** Takes new versions of the configuration file into a running host, one after the other. */
export class Reloader {
  readonly #engine: HostEngine;
  readonly #target: ReloadTarget;
  readonly #retirements: Retirements;
  readonly #count: (outcome: "applied" | "refused") => void;
  #running: Promise<void> = Promise.resolve();

  constructor(engine: HostEngine, target: ReloadTarget) {
    this.#engine = engine;
    this.#target = target;
    const { clock, logger, journal, dlxPart, telemetry } = engine;
    const requests = (key: string): number => {
      const { held = 0, inFlight = 0 } = dlxPart?.dlx.status(key) ?? {};
      return held + inFlight;
    };
    this.#retirements = new Retirements({
      clock,
      logger,
      journal,
      requests,
      isListed: (key) => keysOf(target.read().loaded).has(key),
    });
    const name = "dormouse_config_reloads_total";
    const counter = telemetry.meter.createCounter(name, { description: metricFacts(name).meaning });
    this.#count = (outcome) => counter.add(1, { outcome });
  }

  /** @param by who noticed: `file`, `SIGHUP`. Never rejects: what comes of it is an event, a log line and part of `why`. */
  reload(text: string, by: string): Promise<void> {
    this.#running = this.#running.then(() => this.#reload(text, by));
    return this.#running;
  }

  /** Resolves once no change is under way. */
  idle(): Promise<void> {
    return this.#running;
  }

  /** Ends what earlier changes took out, without waiting for its last requests any more. */
  endRetirements(): Promise<void> {
    return this.#retirements.end();
  }

  async #reload(text: string, by: string): Promise<void> {
    const state = this.#target.read();
    if (text === state.loaded.text && by === "file") return this.#restore(by);
    try {
      const applied = await this.#apply(text, state);
      this.#target.write(applied.state);
      this.#accept(by, state, applied);
    } catch (error) {
      this.#refuse(by, error);
    }
  }

  async #apply(text: string, state: HostState): Promise<Applied> {
    const { file, path } = state.loaded;
    const loaded = parseConfigText(text, { file, path, overrides: this.#engine.overrides });
    try {
      checkRole(loaded, this.#engine.role, this.#engine.catalog.list());
      checkWrittenResources(loaded);
      const secrets = resolveConfigSecrets({ ...this.#engine, loaded });
      return await applyConfig(this.#engine, state, { loaded, secrets }, (listen) => this.#target.openAdmin(listen));
    } catch (error) {
      throw loaded.refuse(error) ?? error;
    }
  }

  #restore(by: string): void {
    const { configStatus, journal } = this.#engine;
    if (!configStatus.isRefused) return;
    configStatus.restored();
    journal.record({
      kind: "config",
      resource: "",
      by,
      reason: "the file is back to what is in force",
      outcome: "done",
    });
  }

  #accept(by: string, before: HostState, applied: Applied): void {
    const { configStatus, journal } = this.#engine;
    const needsRestart = keysForRestart(before.loaded.config, applied.state.loaded.config);
    configStatus.applied(needsRestart);
    const reason =
      needsRestart.length === 0
        ? "applied"
        : `applied; changes of ${needsRestart.join(", ")} count from the next start on`;
    journal.record({ kind: "config", resource: "", by, reason, outcome: "done" });
    this.#count("applied");
    this.#retire(before, applied);
  }

  #refuse(by: string, error: unknown): void {
    const { configStatus, journal, logger, log } = this.#engine;
    const reason = error instanceof Error ? error : new Error(String(error));
    configStatus.refused(reason);
    const problems = reason.message.split("\n");
    for (const problem of problems)
      log.logger.error({ problem }, "the changed configuration is refused, the old one stays");
    if (!(reason instanceof RefusedConfig)) logger.error({ error }, "the changed configuration could not be applied");
    const more = problems.length === 1 ? "" : ` (and ${problems.length - 1} more)`;
    journal.record({ kind: "config", resource: "", by, reason: `${problems[0] ?? ""}${more}`, outcome: "refused" });
    this.#count("refused");
  }

  /**
   * What the new configuration does not have any more ends in the background. A host among others closes what it opened and
   * stops nothing: they may still serve it.
   */
  #retire(before: HostState, { state, leaving, superseded }: Applied): void {
    for (const each of superseded)
      void Promise.resolve(each[Symbol.asyncDispose]()).catch((error: unknown) =>
        this.#engine.logger.warn({ error }, "could not close cleanly"),
      );
    const kept = keysOf(state.loaded);
    const written = this.#engine.role === "up" ? writtenResources(before.loaded.config) : [];
    const gone = written.filter(({ ref }) => !kept.has(formatRef(ref)));
    const goneFrom = (scaler: string): RetiredResource[] =>
      gone
        .filter(({ ref }) => ref.scaler === scaler)
        .map(({ ref, policy }) => ({ ref, drainTimeoutMs: policy.drainTimeout }));
    for (const { opened, entries, isReplaced } of leaving) {
      const drainTimeoutMs = Math.max(0, ...entries.map(({ resource }) => resource.policy.drainTimeout));
      this.#retirements.retireScaler(
        opened.scaler,
        goneFrom(opened.id),
        entries.map(({ key }) => key),
        drainTimeoutMs,
      );
      if (isReplaced) this.#moveOn(entries.map(({ ref }) => ref));
    }
    const left = new Set(leaving.map(({ opened }) => opened.id));
    for (const { id, scaler } of state.scalers)
      if (!left.has(id)) this.#retirements.retireResources(scaler, goneFrom(id));
  }

  /** The DLX claims anew, so that further requests go to the instances of the scaler that took over. */
  #moveOn(refs: readonly Applied["leaving"][number]["entries"][number]["ref"][]): void {
    for (const ref of refs) void this.#engine.dlxPart?.dlx.peer.fence(ref, "configuration").catch(() => {});
  }
}

function keysOf({ config }: LoadedConfig): ReadonlySet<string> {
  return new Set(writtenResources(config).map(({ ref }) => formatRef(ref)));
}

/** What is set up once, before anything else. */
function keysForRestart(before: DormouseConfig, after: DormouseConfig): string[] {
  return [
    ...(isDeepStrictEqual(before.telemetry, after.telemetry) ? [] : ["telemetry"]),
    ...(isDeepStrictEqual(before.dlx.routes, after.dlx.routes) ? [] : ["dlx.routes"]),
    ...(isDeepStrictEqual(before.admin.tls, after.admin.tls) ? [] : ["admin.tls"]),
    ...(isDeepStrictEqual(before.cluster, after.cluster) ? [] : ["cluster"]),
    ...(before.pluginDir === after.pluginDir ? [] : ["pluginDir"]),
  ];
}
