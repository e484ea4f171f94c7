import {
  type AutoscalerConfig,
  type Clock,
  type DlxPeer,
  type EventJournal,
  formatDuration,
  formatRef,
  type Milliseconds,
  type ResourceCatalog,
  type ResourceRef,
  type ScaleEvent,
  ScalerError,
} from "@dormouse/core";
import type { AdminHost, Order } from "../admin/admin-host.ts";
import type { ResourceList, ResourceReport } from "../admin/resource-report.ts";
import type { WhyReport } from "../admin/why-report.ts";
import type { Metrics } from "../telemetry/open-metrics.ts";
import type { ConfigStatus } from "./config-status.ts";
import { explainResource } from "./explain-resource.ts";
import type { AutoscalerPart, DlxPart } from "./host-engine.ts";
import type { HostRole } from "./host-role.ts";
import type { HostTraffic } from "./host-traffic.ts";
import { lastScaleEvents, toResourceReport } from "./to-resource-report.ts";

/** A loop that did not tick for so long, besides some of its own pauses, stands still: every call in it ends sooner. */
const stillAfterMs: Milliseconds = 120_000;

/** What a view of a host is made from. */
export interface HostViewOptions {
  readonly role: HostRole;
  readonly process: string;
  readonly clock: Clock;
  readonly journal: EventJournal;
  readonly catalog: ResourceCatalog;
  readonly dlxPart: DlxPart | undefined;
  readonly autoscalerPart: AutoscalerPart | undefined;
  readonly traffic: HostTraffic;
  readonly autoscalerConfig: () => AutoscalerConfig;
  readonly configStatus: ConfigStatus;
  readonly isStopping: () => boolean;
  readonly telemetry: Pick<Metrics, "read">;
}

/** A host as the admin API and the live view see it. */
export class HostView implements AdminHost {
  readonly #options: HostViewOptions;

  constructor(options: HostViewOptions) {
    this.#options = options;
  }

  get process(): string {
    return this.#options.process;
  }

  get role(): HostRole {
    return this.#options.role;
  }

  get journal(): EventJournal {
    return this.#options.journal;
  }

  get peer(): DlxPeer | undefined {
    const { dlxPart } = this.#options;
    if (dlxPart === undefined) return undefined;
    const { dlx, ownEntry } = dlxPart;
    return ownEntry === undefined ? dlx.peer : { ...dlx.peer, id: ownEntry.id };
  }

  liveness(): ReturnType<AdminHost["liveness"]> {
    const { autoscalerPart, autoscalerConfig } = this.#options;
    const stillMs = autoscalerPart?.lead.unaskedForMs ?? 0;
    if (stillMs <= stillAfterMs + 3 * autoscalerConfig().every) return { alive: true, reasons: [] };
    const reason = `the autoscaler has not ticked for ${formatDuration(Math.round(stillMs / 1_000) * 1_000)}`;
    return { alive: false, reasons: [reason] };
  }

  readiness(): ReturnType<AdminHost["readiness"]> {
    const { dlxPart, catalog, isStopping } = this.#options;
    const starting = catalog.unlisted().filter(({ failure }) => failure === undefined);
    const reasons = [
      ...(isStopping() || dlxPart?.dlx.draining === true ? ["stopping"] : []),
      ...starting.map(({ scaler }) => `scaler ${scaler} has not listed yet`),
      ...(dlxPart?.ownEntry?.isListed === false
        ? [`the list of DLXs does not have this one yet: ${dlxPart.ownEntry.id}`]
        : []),
    ];
    return { ready: reasons.length === 0, reasons };
  }

  refresh(): Promise<void> {
    return this.#options.traffic.refresh();
  }

  list(): ResourceList {
    const { catalog, configStatus, role, traffic, autoscalerPart } = this.#options;
    return {
      role,
      ...(role === "autoscaler" && autoscalerPart !== undefined && { lead: describeLead(autoscalerPart) }),
      ...(traffic.silent.length > 0 && { silent: traffic.silent }),
      resources: this.resources(),
      config: configStatus.report(),
      unlisted: catalog.unlisted().map(describeUnlisted),
    };
  }

  resources(): readonly ResourceReport[] {
    const { catalog, traffic, journal } = this.#options;
    const last = lastScaleEvents(journal);
    return catalog.list().map((entry) => toResourceReport(entry, traffic.status(entry.key), last.get(entry.key)));
  }

  resource(ref: ResourceRef): ResourceReport | undefined {
    const { catalog, traffic, journal } = this.#options;
    const entry = catalog.get(formatRef(ref));
    return entry === undefined
      ? undefined
      : toResourceReport(entry, traffic.status(entry.key), lastScaleEvents(journal).get(entry.key));
  }

  why(ref: ResourceRef): WhyReport | undefined {
    const { catalog, journal, dlxPart, autoscalerPart, autoscalerConfig, clock } = this.#options;
    const entry = catalog.get(formatRef(ref));
    if (entry === undefined) return undefined;
    const traffic = this.#options.traffic.status(entry.key);
    return explainResource({
      entry,
      traffic,
      decision: autoscalerPart?.autoscaler.lastDecision(entry.key),
      lastWake: traffic.lastWake ?? journal.last(entry.key, "wake"),
      lastSleep: journal.last(entry.key, "sleep"),
      tickMs: autoscalerPart === undefined ? undefined : autoscalerConfig().every,
      warnings: this.#warningsOf(ref),
      addresses: dlxPart?.dlx.addresses ?? [],
      now: clock.now(),
    });
  }

  async wake(ref: ResourceRef, order: Order): Promise<ScaleEvent> {
    const { dlxPart, autoscalerPart } = this.#options;
    if (dlxPart !== undefined) return dlxPart.dlx.wake(ref, order);
    if (autoscalerPart?.wakes !== undefined) return autoscalerPart.wakes.wake(ref, order);
    throw new ScalerError("SCALER_UNSUPPORTED", "this host wakes nothing");
  }

  async sleep(ref: ResourceRef, order: Order): Promise<ScaleEvent> {
    const { autoscalerPart } = this.#options;
    if (autoscalerPart === undefined)
      throw new ScalerError("SCALER_UNSUPPORTED", "this host is a DLX; ask the autoscaler for a sleep");
    const event = await autoscalerPart.autoscaler.sleep(ref, order);
    const leader = event.code === "not-leader" ? autoscalerPart.lead.leader() : undefined;
    return leader === undefined ? event : { ...event, reason: `${event.reason} The leader is ${leader}.` };
  }

  metrics(): Promise<string> {
    return this.#options.telemetry.read();
  }

  #warningsOf({ scaler }: ResourceRef): string[] {
    const { catalog, configStatus, traffic } = this.#options;
    const failure = catalog.failureOf(scaler);
    const { refused, needsRestart } = configStatus.report();
    return [
      ...(failure === undefined
        ? []
        : [`scaler ${scaler} does not list at the moment, so this may be old: ${failure.code}: ${failure.message}`]),
      ...traffic.silent.map(({ id, code }) => `what ${id} has is not counted, since it does not answer: ${code}`),
      ...(refused?.problems ?? []).map(
        (problem) => `the changed configuration was refused, the old one stays: ${problem}`,
      ),
      ...(needsRestart === undefined ? [] : [`changes of ${needsRestart.join(", ")} count from the next start on`]),
    ];
  }
}

function describeLead({ lead }: AutoscalerPart): NonNullable<ResourceList["lead"]> {
  const leader = lead.leader();
  return { leads: lead.leads, ...(leader !== undefined && { leader }) };
}

function describeUnlisted({
  scaler,
  failure,
}: ReturnType<ResourceCatalog["unlisted"]>[number]): ResourceList["unlisted"][number] {
  return failure === undefined ? { scaler } : { scaler, code: failure.code, message: failure.message };
}
