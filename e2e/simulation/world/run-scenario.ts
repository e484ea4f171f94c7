import type { Milliseconds } from "@dormouse/core";
import { SeededRandom } from "../../harness/seeded-random.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { checkEnding, checkExecutions, type Violation } from "./checks.ts";
import type { Coverage } from "./coverage.ts";
import type { RequestCounts } from "./request-ledger.ts";
import { World, type WorldOptions } from "./world.ts";

/** What a run came to. */
export interface RunResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly steps: number;
  /** Virtual ms. */
  readonly tookMs: Milliseconds;
  readonly requests: RequestCounts;
  readonly coverage: Coverage;
  /** Names of the messages that met a fault. */
  readonly faults: readonly string[];
  /** What happened, where it was kept. */
  readonly timeLine: string | undefined;
}

/** How long everything may take to come to rest once nothing disturbs it. */
const limits = { endMs: 120_000, sleepMs: 400_000, probeMs: 60_000, backoffMs: 31_000, stillMs: 15_000 };

/**
 * Runs a scenario: acts and faults, then calm. In the calm every request ends, everything falls asleep, a probe of each
 * resource is answered, everything falls asleep again, nothing is written any more, and nothing is left behind.
 */
export async function runScenario(scenario: Scenario, options: WorldOptions = {}): Promise<RunResult> {
  const random = new SeededRandom(scenario.seed, "the code's own");
  const original = Math.random;
  Math.random = () => random.next();
  const world = new World(scenario, options);
  try {
    await world.open();
    world.cues.start();
    await world.runUntil(scenario.lastsMs);
    await calmDown(world);
    await settle(world);
  } catch (error) {
    world.violate(String(error).includes("comes to rest") ? "P5" : "fault", String(error));
  } finally {
    Math.random = original;
  }
  return toResult(world);
}

/** All faults end; one leader stays, and at least one DLX. */
async function calmDown(world: World): Promise<void> {
  world.note("the world", "calms down");
  world.cues.end();
  world.weather.calm();
  world.metrics.fault = undefined;
  world.gitops.clear();
  for (const resource of world.platform.resources.values()) {
    resource.hurry();
    resource.mend();
  }
  for (const { process } of [...world.dlxs, ...world.autoscalers]) process.goOn();
  await world.runUntil(world.clock.monotonic() + 3_000);
  await ensureParts(world);
  for (const [index, { lead }] of world.liveAutoscalers.entries()) lead.isGiven = index === 0;
}

async function ensureParts(world: World): Promise<void> {
  if (world.scenario.hosts === "one") {
    if (world.openDlxs.length === 0) await world.openHost();
    return;
  }
  if (world.openDlxs.length === 0) await world.openDlx();
  if (world.liveAutoscalers.length === 0) await world.openAutoscaler();
}

async function settle(world: World): Promise<void> {
  const { clock, ledger } = world;
  await world.runUntil(clock.monotonic() + limits.endMs, () => ledger.running.length === 0);
  await fallAsleep(world);
  await world.runUntil(clock.monotonic() + limits.backoffMs);
  await probe(world);
  await fallAsleep(world);
  await stayAsleep(world);
  judgeRequests(world);
  await closeAll(world);
}

/** P4. */
async function fallAsleep(world: World): Promise<void> {
  const isAsleep = (): boolean => [...world.platform.resources.values()].every((resource) => isAtRest(world, resource));
  if (await world.runUntil(world.clock.monotonic() + limits.sleepMs, isAsleep)) return;
  for (const resource of world.platform.resources.values()) {
    if (!isAtRest(world, resource))
      world.violate("P4", `${resource.key} wants ${String(resource.desired)}, routed to the ${resource.route}`);
  }
}

function isAtRest(
  { platform }: World,
  { desired, instances, route }: { desired: number; instances: { size: number }; route: string },
): boolean {
  return desired === 0 && instances.size === 0 && (!platform.capabilities.routing || route === "dlx");
}

/** P3: whatever happened before, each resource can be woken by its own traffic. */
async function probe(world: World): Promise<void> {
  const { scenario, clients, ledger, clock } = world;
  for (const [which, { name }] of scenario.resources.entries())
    clients.send({ resource: name, method: "GET", body: "none", workMs: 50 }, { which, isProbe: true });
  await world.runUntil(clock.monotonic() + limits.probeMs, () => ledger.running.length === 0);
}

/** P5: at rest nobody writes any more. */
async function stayAsleep(world: World): Promise<void> {
  const versions = (): string => [...world.platform.resources.values()].map((each) => each.versionText).join();
  await world.runUntil(world.clock.monotonic() + 3_000);
  const before = versions();
  await world.runUntil(world.clock.monotonic() + limits.stillMs);
  if (versions() !== before) world.violate("P5", `versions went on from ${before} to ${versions()} while all slept`);
}

function judgeRequests({ ledger, scenario, violate, platform }: World): void {
  for (const request of ledger.requests) {
    const { policy } = platform.resource({ name: request.plan.resource });
    checkEnding(request, policy.holdTimeout, violate);
    checkExecutions(request, scenario.isBodyKept, violate);
  }
}

/** P7: at the end nothing is left: no request in a book, no timer, no watch. */
async function closeAll(world: World): Promise<void> {
  for (const { keeper, process } of world.liveDlxs) {
    const { held, inFlight } = keeper.totals;
    if (held + inFlight !== 0)
      world.violate("P7", `${process.name} still counts ${String(held)} held, ${String(inFlight)} in flight`);
  }
  const parts = [...world.liveAutoscalers, ...world.liveDlxs];
  for (const part of parts) world.background(part.close());
  const isClosed = (): boolean => world.pending.size === 0;
  if (!(await world.runUntil(world.clock.monotonic() + 30_000, isClosed))) world.violate("P7", "a part does not close");
  await world.runUntil(world.clock.monotonic() + 100);
  for (const { process } of parts) {
    if (process.pendingTimers > 0)
      world.violate("P7", `${process.name} left ${String(process.pendingTimers)} timers behind`);
  }
  if (world.platform.watchers > 0) world.violate("P7", `${String(world.platform.watchers)} watches are left`);
}

function toResult(world: World): RunResult {
  return {
    seed: world.scenario.seed,
    violations: world.violations,
    steps: world.steps,
    tookMs: world.clock.monotonic(),
    requests: world.ledger.count(),
    coverage: world.coverage,
    faults: world.weather.met,
    timeLine: world.timeLine?.toText(),
  };
}
