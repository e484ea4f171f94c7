import { decideInUse } from "./decide-in-use.ts";
import { type Decision, keep, sleep } from "./decision.ts";
import type { Observation } from "./observation.ts";

/** Whether a sleep that an operator asks for may begin: idleness is skipped, safety is not. */
export function decideAskedSleep(seen: Observation): Decision {
  if (!seen.policy.enabled) return keep("not-enabled");
  if (!(seen.desired > 0)) return keep("asleep");
  if (seen.policy.minReplicas !== 0) return keep("min-replicas");
  if (!seen.guarded) return keep("unguarded");
  const inUse = decideInUse(seen);
  if (inUse !== undefined) return inUse;
  const [user] = seen.awakeUsers;
  return user === undefined ? sleep("asked") : keep("needed", { about: user });
}
