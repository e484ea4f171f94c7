import { type CatalogEntry, decideRouting, type Resource, type SleepPass, toScalerError } from "@dormouse/core";
import type { AutoscalerContext } from "./autoscaler-context.ts";
import { decideRoute, type RouteDecision } from "./decide-route.ts";
import { localRefOf } from "./local-ref-of.ts";
import { SleepEnd, toWriteEnd } from "./sleep-end.ts";
import { withSleepGate } from "./with-sleep-gate.ts";

/** Whether and how a resource's route should be mended, as far as is known. */
export function judgeRoute(
  entry: Pick<CatalogEntry, "key" | "resource" | "scaler">,
  context: AutoscalerContext,
  hasDlx: boolean,
): RouteDecision {
  const { resource, scaler } = entry;
  const { policy, version } = resource;
  const tracker = context.tracker(entry);
  const now = context.options.clock.monotonic();
  const route = tracker.routeAt(version, now);
  return decideRoute({
    enabled: policy.enabled,
    desired: resource.desired,
    ready: resource.ready,
    routing: decideRouting(policy, { routes: scaler.capabilities.routing, seesDirect: context.seesDirect }),
    ...(route !== undefined && { route }),
    isOwnVersion: tracker.ownVersion === version,
    unchangedForMs: tracker.unchangedForMs(version, now),
    sleepTimeoutMs: context.config.sleepTimeout,
    hasDlx,
  });
}

/**
 * Sends a resource's own traffic where it belongs: reads it, judges anew, marks it with the count it has, and routes with
 * the mark's version. Never rejects; what could not be done is tried again after a wait.
 */
export async function mendRoute(
  entry: CatalogEntry,
  context: AutoscalerContext,
  hasDlx: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger } = context.options;
  const tracker = context.tracker(entry);
  try {
    await withSleepGate(entry, context, (pass) => mend(entry, context, { hasDlx, signal, pass }));
  } catch (error) {
    tracker.looked("failed", clock.monotonic());
    if (signal.aborted) return;
    const { code, message } =
      error instanceof SleepEnd ? { code: error.reason, message: error.message } : toScalerError(error);
    logger.warn({ resource: entry.key, code, error: message }, "could not mend the route");
  }
}

interface MendOptions {
  readonly hasDlx: boolean;
  readonly signal: AbortSignal;
  readonly pass: SleepPass | undefined;
}

async function mend(entry: CatalogEntry, context: AutoscalerContext, options: MendOptions): Promise<void> {
  const { scaler } = entry;
  const { catalog, clock } = context.options;
  const observe = catalog.beginObservation(scaler, entry.ref);
  const resource = await scaler.getResource(localRefOf(entry.ref), { signal: options.signal });
  if (resource === undefined) return;
  observe(resource);
  const tracker = context.tracker(entry);
  tracker.see({ resource }, clock.monotonic());
  const decision = judgeRoute({ ...entry, resource }, context, options.hasDlx);
  if (decision.kind === "leave") return tracker.looked("right", clock.monotonic());
  if (!mayAct(context, options)) return;
  const version = await mark(entry, resource, context, options.signal);
  if (!mayAct(context, options)) return;
  const to = decision.kind === "divert" ? "dlx" : "resource";
  const known = tracker.routeAt(version, clock.monotonic());
  const isUndone = await tracker.mend(to, version, clock, async () =>
    scaler.routeTraffic?.(localRefOf(entry.ref), to, { version, signal: options.signal }),
  );
  report(entry, context, decision, known !== undefined && known !== to);
  if (isUndone) warnOfUndoing(entry, context, to);
}

/** Without a pass that still holds, a wake waits to be sent: the write would undo it. */
function mayAct(context: AutoscalerContext, { signal, pass }: MendOptions): boolean {
  return context.leads && !signal.aborted && pass?.granted !== false;
}

async function mark(
  entry: CatalogEntry,
  resource: Resource,
  context: AutoscalerContext,
  signal: AbortSignal,
): Promise<string> {
  const { scaler } = entry;
  const options = { signal, ...(scaler.capabilities.compareAndSet && { ifVersion: resource.version }) };
  const observe = context.options.catalog.beginObservation(scaler, entry.ref);
  const { version } = await scaler
    .setScale(localRefOf(entry.ref), resource.desired, options)
    .catch((error: unknown) => {
      throw toWriteEnd(error);
    });
  context.tracker(entry).wrote(resource.version, version);
  observe({ ...resource, version });
  return version;
}

/** An event only where the way changed; a route that is asserted after a start is none. */
function report(
  entry: CatalogEntry,
  { options }: AutoscalerContext,
  { kind, reason }: RouteDecision,
  hasChanged: boolean,
): void {
  options.logger.debug({ resource: entry.key, kind, reason }, "route mended");
  if (!hasChanged) return;
  const words = kind === "divert" ? `diverted: ${reason}` : `restored: ${reason}`;
  options.journal.record({ kind: "resource", resource: entry.key, by: "reconciler", reason: words, outcome: "done" });
}

/** Two that put the same route right in turns would write for ever: one line, and longer and longer waits. */
function warnOfUndoing({ key }: CatalogEntry, { options }: AutoscalerContext, to: "dlx" | "resource"): void {
  const where = to === "dlx" ? "to the DLX" : "to itself";
  const reason = `somebody else undoes its route again and again; its traffic is sent ${where} anew ever less often, at least once a minute`;
  options.logger.warn({ resource: key, to }, reason);
  options.journal.record({ kind: "resource", resource: key, by: "reconciler", reason, outcome: "failed" });
}
