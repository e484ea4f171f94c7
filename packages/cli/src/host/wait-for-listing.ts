import type { Clock, Milliseconds, ResourceCatalog } from "@dormouse/core";

/**
 * Resolves once every scaler has listed or failed to, or after so long: a platform that is slow or away must not keep the
 * host from starting.
 */
export async function waitForListing(catalog: ResourceCatalog, clock: Clock, limitMs: Milliseconds): Promise<void> {
  const abort = new AbortController();
  const isSettled = (): boolean => catalog.unlisted().every(({ failure }) => failure !== undefined);
  const subscription = catalog.subscribe(() => isSettled() && abort.abort());
  try {
    for (let left = limitMs; left > 0 && !isSettled(); left -= pollMs)
      await clock.sleep(Math.min(pollMs, left), abort.signal);
  } catch {
    // Everything is settled.
  } finally {
    subscription[Symbol.dispose]();
  }
}

/** A failure is told by no event. */
const pollMs: Milliseconds = 25;
