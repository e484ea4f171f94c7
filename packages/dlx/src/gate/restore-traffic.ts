import {
  backoffMs,
  type CatalogEntry,
  type Clock,
  decideRouting,
  isScalerError,
  type SeesDirect,
} from "@dormouse/core";

export interface RestoreOptions {
  readonly entry: () => CatalogEntry;
  /** Version that the claim produced. */
  readonly version: string;
  readonly seesDirect: SeesDirect;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Whether a resource's warm traffic leaves the DLX. */
export function isDirect({ scaler, resource }: CatalogEntry, seesDirect: SeesDirect): boolean {
  return decideRouting(resource.policy, { routes: scaler.capabilities.routing, seesDirect }) === "direct";
}

/**
 * Points a woken resource's own traffic back at it, once every instance in that traffic is ready. Whoever wrote a newer
 * version owns the routing from then on: then this ends, and it does where the policy keeps the traffic here by now. True: restored.
 */
export async function restoreTraffic({ entry, version, seesDirect, clock, signal }: RestoreOptions): Promise<boolean> {
  for (let attempt = 0; !signal.aborted && isDirect(entry(), seesDirect); attempt += 1) {
    const { scaler, ref } = entry();
    try {
      const resource = await scaler.getResource(ref, { signal });
      if (resource === undefined || resource.version !== version) return false;
      if (resource.ready >= resource.desired) {
        await scaler.routeTraffic?.(ref, "resource", { version, signal });
        return true;
      }
    } catch (error) {
      if (isScalerError(error) && !error.retryable) return false;
      if (isScalerError(error) && error.code === "SCALER_CONFLICT") return false;
    }
    await clock.sleep(backoffMs(attempt, { firstMs: 50, longestMs: 2_000 }), signal).catch(() => {});
  }
  return false;
}
