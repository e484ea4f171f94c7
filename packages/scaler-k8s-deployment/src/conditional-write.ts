import { backoffMs, type Clock, isScalerError, ScalerError } from "@dormouse/core";
import { isNewer, type RouteRecord } from "./route-record.ts";

/** How often a conditional write is begun anew. */
const mostTries = 6;

/**
 * Reads and writes until nobody was faster.
 *
 * @param what the object's name, for the error
 * @param attempt reads, decides and writes; false: the object had changed meanwhile
 * @throws ScalerError `SCALER_UNAVAILABLE` where it changes all the time; whatever `attempt` throws
 */
export async function repeatWrite(
  what: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal | undefined },
  attempt: () => Promise<boolean>,
): Promise<void> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    if (await attempt()) return;
    await clock.sleep(backoffMs(tries, { firstMs: 5, longestMs: 200 }), signal);
  }
  throw new ScalerError("SCALER_UNAVAILABLE", `${what} changed all the time; ${String(mostTries)} writes were refused`);
}

/** False where the object had changed, or was made meanwhile. Other failures are thrown. */
export async function isWritten(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isScalerError(error) && error.code === "SCALER_CONFLICT") return false;
    throw error;
  }
}

/** @throws ScalerError `SCALER_CONFLICT` where the record that was found is of a newer version than the one that is ordered */
export function refuseOlder(found: RouteRecord | undefined, ordered: RouteRecord): void {
  if (found === undefined || !isNewer(found, ordered)) return;
  throw new ScalerError(
    "SCALER_CONFLICT",
    `a newer version (epoch ${String(found.epoch)}) owns the route, not epoch ${String(ordered.epoch)}`,
  );
}
