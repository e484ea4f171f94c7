import type { CatalogEntry, Resource, ScaleEvent, SleepPass } from "@dormouse/core";
import type { AutoscalerContext } from "./autoscaler-context.ts";
import { explainTarget } from "./explain-target.ts";
import { localRefOf } from "./local-ref-of.ts";
import { type SleepEnd, sleepEndReasons, toSleepEnd, toWriteEnd } from "./sleep-end.ts";
import type { TargetDecision } from "./target-decision.ts";
import type { TargetObservation } from "./target-observation.ts";
import { withSleepGate } from "./with-sleep-gate.ts";

/** A decision to change a count, with what it was made from. */
export interface ScaleOrder {
  readonly decision: Extract<TargetDecision, { kind: "scale" }>;
  readonly inputs: TargetObservation;
}

/**
 * Changes the count of an awake resource as it was decided: reads it, and writes at the version just read. To the sleep
 * protocol it is a person who scales by hand; docs/decisions/0097 says why that is safe. Never rejects: what came of it
 * is the event; undefined where there was nothing to do any more.
 */
export async function scaleResource(
  entry: CatalogEntry,
  order: ScaleOrder,
  context: AutoscalerContext,
  signal: AbortSignal,
): Promise<ScaleEvent | undefined> {
  const { clock } = context.options;
  const startedAt = clock.monotonic();
  try {
    const isDone = await withSleepGate(entry, context, (pass) => scale(entry, order, context, { signal, pass }));
    return isDone
      ? record(entry, order, context, { outcome: "done", tookMs: clock.monotonic() - startedAt })
      : undefined;
  } catch (error) {
    return fail(entry, order, context, toSleepEnd(error), signal);
  }
}

interface ActOptions {
  readonly signal: AbortSignal;
  readonly pass: SleepPass | undefined;
}

/** @returns false where the resource is not any more what was decided about */
async function scale(
  entry: CatalogEntry,
  { decision }: ScaleOrder,
  context: AutoscalerContext,
  options: ActOptions,
): Promise<boolean> {
  if (!mayAct(context, options)) return false;
  const resource = await read(entry, context, options.signal);
  if (resource?.desired !== decision.from || !resource.policy.enabled || resource.policy.target === undefined)
    return false;
  // No await between this and the call: a request that came meanwhile has taken the pass back.
  if (!mayAct(context, options)) return false;
  await write(entry, resource, decision.to, context, options.signal);
  return true;
}

/** Without a pass that still holds, a wake waits to be sent: the write would come between. */
function mayAct(context: AutoscalerContext, { signal, pass }: ActOptions): boolean {
  return context.leads && !signal.aborted && pass?.granted !== false;
}

async function read(
  { scaler, ref }: CatalogEntry,
  context: AutoscalerContext,
  signal: AbortSignal,
): Promise<Resource | undefined> {
  const observe = context.options.catalog.beginObservation(scaler, ref);
  const resource = await scaler.getResource(localRefOf(ref), { signal });
  if (resource !== undefined) observe(resource);
  return resource;
}

async function write(
  entry: CatalogEntry,
  resource: Resource,
  replicas: number,
  context: AutoscalerContext,
  signal: AbortSignal,
): Promise<void> {
  const { scaler, ref } = entry;
  const { catalog, clock } = context.options;
  const options = { signal, ...(scaler.capabilities.compareAndSet && { ifVersion: resource.version }) };
  const observe = catalog.beginObservation(scaler, ref);
  const { version } = await scaler.setScale(localRefOf(ref), replicas, options).catch((error: unknown) => {
    throw toWriteEnd(error);
  });
  const tracker = context.tracker(entry);
  tracker.wrote(resource.version, version);
  tracker.target.scaled(replicas, clock.monotonic());
  observe({ ...resource, desired: replicas, wakeReplicas: replicas, version });
}

function fail(
  entry: CatalogEntry,
  order: ScaleOrder,
  context: AutoscalerContext,
  end: SleepEnd,
  signal: AbortSignal,
): ScaleEvent | undefined {
  const { clock, logger } = context.options;
  // What may still land is waited for in silence: each tick looks again.
  if (signal.aborted || end.reason === "gone" || end.reason === "settling") return undefined;
  context.tracker(entry).target.failed(clock.monotonic());
  logger.debug({ resource: entry.key, reason: end.reason, about: end.about }, "the count was not changed");
  return record(entry, order, context, {
    outcome: end.isFailure ? "failed" : "kept",
    reason: describeEnd(end),
    code: end.code ?? end.reason,
  });
}

function describeEnd({ reason, about }: SleepEnd): string {
  const facts = Object.entries(sleepEndReasons).find(([known]) => known === reason)?.[1];
  const meaning = facts?.meaning ?? `${reason}.`;
  return about === undefined ? meaning : `${meaning.slice(0, -1)}: ${about}.`;
}

function record(
  { key }: CatalogEntry,
  { decision, inputs }: ScaleOrder,
  { options, telemetry }: AutoscalerContext,
  ending: Pick<ScaleEvent, "outcome"> & Partial<ScaleEvent>,
): ScaleEvent {
  const { from, to } = decision;
  telemetry.countScale(key, to > from ? "up" : "down", ending.outcome);
  const reason = explainTarget(decision, inputs).words;
  return options.journal.record({ kind: "scale", resource: key, by: "autoscaler", reason, from, to, ...ending });
}
