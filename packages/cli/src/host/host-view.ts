import type { Autoscaler } from "@dormouse/autoscaler";
import {
  type AutoscalerConfig,
  type Clock,
  type DlxPeer,
  type EventJournal,
  formatRef,
  type ResourceCatalog,
  type ResourceRef,
  type ScaleEvent,
} from "@dormouse/core";
import type { Dlx } from "@dormouse/dlx";
import type { AdminHost, Order } from "../admin/admin-host.ts";
import type { ResourceList, ResourceReport } from "../admin/resource-report.ts";
import type { WhyReport } from "../admin/why-report.ts";
import type { ConfigStatus } from "./config-status.ts";
import { explainResource } from "./explain-resource.ts";
import { lastScaleEvents, toResourceReport } from "./to-resource-report.ts";

/** What a view of a host is made from. */
export interface HostViewOptions {
  readonly clock: Clock;
  readonly journal: EventJournal;
  readonly catalog: ResourceCatalog;
  readonly dlx: Pick<Dlx, "peer" | "process" | "status" | "wake" | "draining" | "addresses">;
  readonly autoscaler: Pick<Autoscaler, "lastDecision" | "sleep">;
  readonly autoscalerConfig: () => AutoscalerConfig;
  readonly configStatus: ConfigStatus;
  readonly isStopping: () => boolean;
  readonly metrics: () => Promise<string>;
}

/** A host that runs everything, as the admin API and the live view see it. */
export class HostView implements AdminHost {
  readonly #options: HostViewOptions;

  constructor(options: HostViewOptions) {
    this.#options = options;
  }

  get process(): string {
    return this.#options.dlx.process;
  }

  get journal(): EventJournal {
    return this.#options.journal;
  }

  get peer(): DlxPeer {
    return this.#options.dlx.peer;
  }

  readiness(): ReturnType<AdminHost["readiness"]> {
    const { dlx, catalog, isStopping } = this.#options;
    const starting = catalog.unlisted().filter(({ failure }) => failure === undefined);
    const reasons = [
      ...(isStopping() || dlx.draining ? ["stopping"] : []),
      ...starting.map(({ scaler }) => `scaler ${scaler} has not listed yet`),
    ];
    return { ready: reasons.length === 0, reasons };
  }

  list(): ResourceList {
    const { catalog, configStatus } = this.#options;
    return {
      resources: this.resources(),
      config: configStatus.report(),
      unlisted: catalog.unlisted().map(describeUnlisted),
    };
  }

  resources(): readonly ResourceReport[] {
    const { catalog, dlx, journal } = this.#options;
    const last = lastScaleEvents(journal);
    return catalog.list().map((entry) => toResourceReport(entry, dlx.status(entry.key), last.get(entry.key)));
  }

  resource(ref: ResourceRef): ResourceReport | undefined {
    const { catalog, dlx, journal } = this.#options;
    const entry = catalog.get(formatRef(ref));
    return entry === undefined
      ? undefined
      : toResourceReport(entry, dlx.status(entry.key), lastScaleEvents(journal).get(entry.key));
  }

  why(ref: ResourceRef): WhyReport | undefined {
    const { catalog, dlx, journal, autoscaler, autoscalerConfig, clock } = this.#options;
    const entry = catalog.get(formatRef(ref));
    if (entry === undefined) return undefined;
    const traffic = dlx.status(entry.key);
    return explainResource({
      entry,
      traffic,
      decision: autoscaler.lastDecision(entry.key),
      lastWake: traffic.lastWake ?? journal.last(entry.key, "wake"),
      lastSleep: journal.last(entry.key, "sleep"),
      tickMs: autoscalerConfig().every,
      warnings: this.#warningsOf(ref),
      addresses: dlx.addresses,
      now: clock.now(),
    });
  }

  wake(ref: ResourceRef, order: Order): Promise<ScaleEvent> {
    return this.#options.dlx.wake(ref, order);
  }

  sleep(ref: ResourceRef, order: Order): Promise<ScaleEvent> {
    return this.#options.autoscaler.sleep(ref, order);
  }

  metrics(): Promise<string> {
    return this.#options.metrics();
  }

  #warningsOf({ scaler }: ResourceRef): string[] {
    const { catalog, configStatus } = this.#options;
    const failure = catalog.failureOf(scaler);
    const { refused, needsRestart } = configStatus.report();
    return [
      ...(failure === undefined
        ? []
        : [`scaler ${scaler} does not list at the moment, so this may be old: ${failure.code}: ${failure.message}`]),
      ...(refused?.problems ?? []).map(
        (problem) => `the changed configuration was refused, the old one stays: ${problem}`,
      ),
      ...(needsRestart === undefined ? [] : [`changes of ${needsRestart.join(", ")} count from the next start on`]),
    ];
  }
}

function describeUnlisted({
  scaler,
  failure,
}: ReturnType<ResourceCatalog["unlisted"]>[number]): ResourceList["unlisted"][number] {
  return failure === undefined ? { scaler } : { scaler, code: failure.code, message: failure.message };
}
