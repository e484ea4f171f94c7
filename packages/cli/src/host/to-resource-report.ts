import type { CatalogEntry, EventJournal, ScaleEvent } from "@dormouse/core";
import type { DlxResourceStatus } from "@dormouse/dlx";
import type { ResourceReport } from "../admin/resource-report.ts";

/** What is known of one resource, as the admin API shows it. */
export function toResourceReport(
  entry: CatalogEntry,
  traffic: DlxResourceStatus,
  last: ScaleEvent | undefined,
): ResourceReport {
  const { state, resource } = entry;
  const failure = state.kind === "failed" ? state.failure : resource.failure;
  return {
    ref: entry.key,
    state: state.kind,
    since: state.since,
    desired: resource.desired,
    ready: resource.ready,
    wakeReplicas: resource.wakeReplicas,
    held: traffic.held,
    inFlight: traffic.inFlight,
    requests: traffic.requests,
    ...(traffic.lastActivityAt !== undefined && { lastActivityAt: traffic.lastActivityAt }),
    ...(last !== undefined && { lastScaleEvent: last }),
    ...(traffic.lastWake !== undefined && { lastWake: traffic.lastWake }),
    ...(traffic.wakeP95Ms !== undefined && { wakeP95Ms: traffic.wakeP95Ms }),
    ...(failure !== undefined && { failure }),
    ...(resource.refusal !== undefined && { refusal: resource.refusal }),
  };
}

/** The last wake or sleep of every resource that the journal still knows, in one pass. */
export function lastScaleEvents(journal: EventJournal): ReadonlyMap<string, ScaleEvent> {
  const scalings = journal.list().filter(({ kind }) => kind === "wake" || kind === "sleep");
  return new Map(scalings.map((event) => [event.resource, event]));
}
