import type { Milliseconds, Resource } from "@dormouse/core";
import { decideDrain, type DrainDecision } from "./decide-drain.ts";
import type { Observation } from "./observation.ts";
import { readRules } from "./read-rules.ts";
import type { SleepAttempt } from "./sleep-attempt.ts";
import { SleepEnd } from "./sleep-end.ts";

/** Time between two looks while a drain lasts: short against a quiet period, long against an answer. */
const lookEveryMs: Milliseconds = 250;

/** How long nobody may have used a routed resource before its fence. */
export function quietPeriodOf({ context, entry }: Pick<SleepAttempt, "context" | "entry">): Milliseconds {
  return Math.max(context.config.quietPeriod, entry.scaler.capabilities.settleWithinMs);
}

/**
 * Waits until nobody uses the resource any more. Without a divert there is nothing to wait for: what the DLXs count is
 * looked at once more.
 *
 * @param divertedAt monotonic ms; left out: the scaler does not route
 * @throws SleepEnd where the resource is in use again, or the drain's limit has passed
 */
export async function drainResource(
  attempt: SleepAttempt,
  resource: Resource,
  divertedAt: Milliseconds | undefined,
): Promise<void> {
  if (divertedAt === undefined) return attempt.assertSleep(await attempt.observe(resource));
  for (;;) {
    const next = await look(attempt, resource, divertedAt);
    if (next.kind === "drained") return;
    if (next.kind === "end") throw new SleepEnd(next.reason, { about: next.about });
    await attempt.context.options.clock.sleep(lookEveryMs, attempt.steps.signal).catch(() => {});
    attempt.steps.assertMayAct();
  }
}

async function look(attempt: SleepAttempt, resource: Resource, divertedAt: Milliseconds): Promise<DrainDecision> {
  const { context, order } = attempt;
  const quietMs = quietPeriodOf(attempt);
  const elapsedMs = context.options.clock.monotonic() - divertedAt;
  const seen = await observeDrained(attempt, resource, elapsedMs >= quietMs);
  const decision = attempt.decide(seen);
  return decideDrain({
    decision,
    isAsked: order.kind === "asked",
    dlxs: seen.dlxs ?? [],
    rules: needsRules(seen, decision.reason) ? seen.rules : [],
    elapsedMs,
    quietMs,
    limitMs: resource.policy.drainTimeout,
  });
}

/** Rules are asked for once they can matter: when the quiet period is over. */
async function observeDrained(attempt: SleepAttempt, resource: Resource, withRules: boolean): Promise<Observation> {
  if (!withRules) return attempt.observe(resource);
  const { context, entry, steps } = attempt;
  const options = { sources: context.sources, clock: context.options.clock, signal: steps.signal };
  const rules = await readRules([{ ref: entry.ref, rules: resource.policy.idleRules }], options);
  return attempt.observe(resource, rules);
}

/** What was never ready has no metrics; an operator skips idleness, but traffic that only rules can see is safety. */
function needsRules(seen: Observation, reason: string): boolean {
  return reason === "idle" || (reason === "asked" && seen.routes && seen.routing === "direct");
}
