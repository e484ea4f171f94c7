import { type Decision, keep } from "./decision.ts";
import type { DlxObservation, Observation } from "./observation.ts";

/** What speaks against any sleep, idle or asked for: somebody uses the resource, or nobody can say; undefined: nothing does. */
export function decideInUse(seen: Pick<Observation, "dlxs">): Decision | undefined {
  if (seen.dlxs === undefined) return keep("peers-unknown");
  if (seen.dlxs.length === 0) return keep("no-dlx");
  for (const dlx of seen.dlxs) {
    const found = decideOne(dlx);
    if (found !== undefined) return found;
  }
  return undefined;
}

function decideOne(dlx: DlxObservation): Decision | undefined {
  const about = dlx.id;
  if (!dlx.known) return keep("dlx-unknown", { about });
  const isSensible = isCount(dlx.inFlight) && isCount(dlx.held) && isCount(dlx.idleForMs);
  if (!isSensible) return keep("dlx-unknown", { about });
  if (dlx.inFlight > 0) return keep("in-flight", { about });
  return dlx.held > 0 ? keep("held", { about }) : undefined;
}

function isCount(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}
