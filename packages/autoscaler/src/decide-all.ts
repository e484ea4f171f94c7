import type { CatalogEntry, Milliseconds } from "@dormouse/core";
import { isAwakeUser, usersByDependency } from "./assert-unneeded.ts";
import type { AutoscalerContext } from "./autoscaler-context.ts";
import { decideSleep } from "./decide-sleep.ts";
import { keep } from "./decision.ts";
import { decideTarget } from "./decide-target.ts";
import type { MadeDecision, MadeTarget } from "./decision-record.ts";
import { observeResource, type Reading } from "./observe-resource.ts";
import { observeTarget, type TargetSurroundings } from "./observe-target.ts";
import type { OperationKind } from "./operations.ts";
import type { ResourceTracker } from "./resource-tracker.ts";

/** What this process does with a resource now. */
export type OperationOf = (key: string) => OperationKind | undefined;

/** Decides about every resource of the catalogue from one reading. One resource's fault stays its own. */
export function decideAll(
  entries: readonly CatalogEntry[],
  reading: Reading,
  context: AutoscalerContext,
  operationOf: OperationOf,
): Map<string, MadeDecision> {
  const users = usersByDependency(entries);
  const problems = new PlatformProblems(context);
  const at = context.options.clock.now();
  const now = context.options.clock.monotonic();
  const made = new Map<string, MadeDecision>();
  for (const entry of entries) {
    const awakeUsers = awakeKeys(users.get(entry.key));
    const operation = operationOf(entry.key);
    const surroundings = { awakeUsers, operation, now, platformProblem: problems.of(entry.ref.scaler) };
    made.set(entry.key, { at, ...decideOne(entry, reading, context, surroundings) });
  }
  return made;
}

const nobody: readonly string[] = [];

function awakeKeys(users: readonly CatalogEntry[] | undefined): readonly string[] {
  return users === undefined ? nobody : users.filter(isAwakeUser).map((user) => user.key);
}

type Surroundings = Omit<Parameters<typeof observeResource>[3], "seesDirect" | "singleHost">;

function decideOne(
  entry: CatalogEntry,
  reading: Reading,
  context: AutoscalerContext,
  surroundings: Surroundings,
): Omit<MadeDecision, "at"> {
  const { options, seesDirect } = context;
  try {
    const tracker = context.tracker(entry);
    tracker.see(entry, surroundings.now);
    const inputs = observeResource(entry, tracker, reading, {
      ...surroundings,
      seesDirect,
      singleHost: options.singleHost,
    });
    const target = decideTargetOf(entry, tracker, reading, { ...surroundings, seesDirect });
    return { decision: decideSleep(inputs), inputs, ...(target !== undefined && { target }) };
  } catch (error) {
    options.logger.error({ resource: entry.key, error }, "could not decide");
    return { decision: keep("platform-unknown", { about: String(error) }) };
  }
}

/** Undefined: it has no target, or none of its replicas is wanted; then nothing is remembered of it either. */
function decideTargetOf(
  entry: CatalogEntry,
  tracker: ResourceTracker,
  { rules }: Reading,
  surroundings: Omit<TargetSurroundings, "retryInMs"> & { readonly now: Milliseconds },
): MadeTarget | undefined {
  const { policy, desired } = entry.resource;
  if (policy.target === undefined || !policy.enabled || desired === 0) {
    tracker.forgetTarget();
    return undefined;
  }
  const { now } = surroundings;
  const inputs = observeTarget(entry, policy.target, rules, {
    ...surroundings,
    retryInMs: tracker.target.retryInMs(now),
  });
  const result = decideTarget(inputs, tracker.target.history, now);
  tracker.target.remember(result?.history);
  return result && { decision: result.decision, inputs };
}

/** Why each scaler's last list failed, looked up once a scaler. */
class PlatformProblems {
  readonly #context: AutoscalerContext;
  readonly #known = new Map<string, string | undefined>();

  constructor(context: AutoscalerContext) {
    this.#context = context;
  }

  of(scaler: string): string | undefined {
    if (!this.#known.has(scaler)) this.#known.set(scaler, this.#context.options.catalog.failureOf(scaler)?.code);
    return this.#known.get(scaler);
  }
}
