import { randomUUID } from "node:crypto";
import type { CatalogEntry, DlxPeer, Milliseconds, Resource, ScaleEvent, SleepPass } from "@dormouse/core";
import { assertUnneeded } from "./assert-unneeded.ts";
import type { AutoscalerContext } from "./autoscaler-context.ts";
import { drainResource, quietPeriodOf } from "./drain-resource.ts";
import { fenceAll } from "./fence-all.ts";
import { localRefOf } from "./local-ref-of.ts";
import { listPeers, readActivity } from "./read-activity.ts";
import { recordSleep } from "./record-sleep.ts";
import { SleepAttempt, type SleepOrder } from "./sleep-attempt.ts";
import { SleepEnd, toSleepEnd, toWriteEnd } from "./sleep-end.ts";
import { StepRunner } from "./step-runner.ts";
import { withSleepGate } from "./with-sleep-gate.ts";

/*
 * The sleep protocol; docs/architecture.md shows it, docs/guarantees.md says why it is safe. Safety rests on two things alone: the fence, after
 * which a DLX forwards nothing before a new claim has moved the version, and the stop, which the platform accepts only
 * at the version of this attempt's own mark. The mark therefore comes before the list and the fence, the list is read
 * after it and uncached, and the version is never read again. Everything else serves progress. Nothing is lifted or
 * taken back when an attempt ends early, since a lift could land late: the next request claims, the reconciler restores.
 */

/** Tries to put a resource to sleep. Never rejects: what came of it is the event. */
export function sleepResource(
  entry: CatalogEntry,
  order: SleepOrder,
  context: AutoscalerContext,
  signal: AbortSignal,
): Promise<ScaleEvent> {
  return context.telemetry.traceSleep(entry.key, order.by, async (onStep) => {
    const steps = new StepRunner({ context, ref: entry.ref, signal, onStep });
    const attempt = new SleepAttempt(context, entry, order, steps);
    try {
      return recordSleep(attempt, await runSteps(attempt));
    } catch (error) {
      return recordSleep(attempt, toSleepEnd(error));
    }
  });
}

/** @returns the replicas that were stopped */
async function runSteps(attempt: SleepAttempt): Promise<number> {
  const { steps, context, entry } = attempt;
  const resource = await steps.run("read", () => read(attempt));
  const endOperation = context.options.catalog.beginOperation(entry.ref, "sleep");
  try {
    const marked = { ...resource, version: await mark(attempt, resource) };
    const divertedAt = await divert(attempt, marked.version);
    await steps.run("drain", () => drainResource(attempt, marked, divertedAt));
    const peers = await steps.run("list", () => list(attempt));
    await fenceAndStop(attempt, marked, peers);
    return resource.desired;
  } finally {
    endOperation();
  }
}

async function read(attempt: SleepAttempt): Promise<Resource> {
  const { context, entry, order } = attempt;
  const resource = await readFresh(attempt);
  const seen = await attempt.observe(resource);
  attempt.assertSleep(seen);
  const quietMs = quietPeriodOf(attempt);
  if (seen.routes && quietMs >= resource.policy.drainTimeout) throw new SleepEnd("drain-too-short");
  context.options.logger.debug({ resource: entry.key, by: order.by, reason: order.reason }, "sleep begins");
  return resource;
}

async function readFresh({ context, entry, steps }: SleepAttempt): Promise<Resource> {
  const observe = context.options.catalog.beginObservation(entry.scaler, entry.ref);
  const resource = await entry.scaler.getResource(localRefOf(entry.ref), { signal: steps.signal });
  if (resource === undefined) throw new SleepEnd("gone");
  observe(resource);
  context.tracker(entry).see({ resource }, context.options.clock.monotonic());
  return resource;
}

/** Moves the version, so that whatever moves it from here on voids this sleep; then looks who needs the resource. */
async function mark(attempt: SleepAttempt, resource: Resource): Promise<string> {
  const { context, entry, steps } = attempt;
  const { compareAndSet, routing } = entry.scaler.capabilities;
  // Without either the mark guards nothing; but it stores the count that a wake has to come back to.
  if (!compareAndSet && !routing && resource.wakeReplicas === resource.desired) return resource.version;
  return steps.run("mark", async () => {
    const { version } = await setScale(attempt, resource, resource.desired);
    await assertUnneeded(entry.key, context.options.catalog, steps.signal);
    return version;
  });
}

/** @returns monotonic ms of the divert; undefined where the scaler does not route */
async function divert(attempt: SleepAttempt, version: string): Promise<Milliseconds | undefined> {
  const { context, entry, steps } = attempt;
  const { scaler } = entry;
  const { clock, peers } = context.options;
  if (!scaler.capabilities.routing) return undefined;
  return steps.run("divert", async () => {
    const activity = await readActivity({ peers, clock, signal: steps.signal });
    if (activity.peers?.some((peer) => peer.known) !== true) throw new SleepEnd("no-dlx");
    steps.assertMayAct();
    await context
      .tracker(entry)
      .divert(version, clock, async () =>
        scaler.routeTraffic?.(localRefOf(entry.ref), "dlx", { version, signal: steps.signal }),
      );
    return clock.monotonic();
  });
}

async function list({ context, steps }: SleepAttempt): Promise<readonly DlxPeer[]> {
  const { peers, clock } = context.options;
  return listPeers({ peers, clock, signal: steps.signal }).catch((cause: unknown) => {
    throw new SleepEnd("peers-unknown", { cause });
  });
}

/** @param marked the resource as it was read, at the version of the mark */
async function fenceAndStop(attempt: SleepAttempt, marked: Resource, peers: readonly DlxPeer[]): Promise<void> {
  const { context, entry, steps } = attempt;
  await withSleepGate(entry, context, async (pass) => {
    const options = { clock: context.options.clock, signal: steps.signal };
    await steps.run("fence", () => fenceAll(entry.ref, randomUUID(), peers, options));
    await steps.run("stop", () => stop(attempt, marked, pass));
  });
  await steps.run("done", () => lookAfterwards(attempt)).catch(() => {});
}

async function stop(attempt: SleepAttempt, marked: Resource, pass: SleepPass | undefined): Promise<void> {
  if (pass !== undefined) await assertUnchanged(attempt, marked);
  // No await between this and the call: a request that came meanwhile has taken the pass back.
  if (pass?.granted === false) throw new SleepEnd("cancelled");
  await setScale(attempt, marked, 0);
}

/**
 * Where the platform cannot compare, this at least narrows the time in which somebody else's change can be missed. Who
 * depends on the resource is read here: no wake of such a one gets past the pass, since it wakes the resource first.
 */
async function assertUnchanged(attempt: SleepAttempt, marked: Resource): Promise<void> {
  await assertUnneeded(attempt.entry.key, attempt.context.options.catalog, attempt.steps.signal);
  const resource = await readFresh(attempt);
  attempt.steps.assertMayAct();
  if (resource.version !== marked.version) throw new SleepEnd("conflict");
}

/** One write at the version that was read or written last. What it taught goes to the catalogue and is remembered. */
async function setScale(
  { context, entry, steps }: SleepAttempt,
  resource: Resource,
  replicas: number,
): Promise<{ version: string }> {
  const { scaler } = entry;
  const { compareAndSet } = scaler.capabilities;
  const options = { signal: steps.signal, ...(compareAndSet && { ifVersion: resource.version }) };
  const observe = context.options.catalog.beginObservation(scaler, entry.ref);
  try {
    const { version } = await scaler.setScale(localRefOf(entry.ref), replicas, options);
    context.tracker(entry).wrote(resource.version, version);
    observe({ ...resource, desired: replicas, version });
    return { version };
  } catch (error) {
    throw toWriteEnd(error);
  }
}

/** So that the catalogue need not wait for its next list. */
async function lookAfterwards(attempt: SleepAttempt): Promise<void> {
  await readFresh(attempt);
}
