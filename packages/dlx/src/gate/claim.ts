import { backoffMs, type CatalogEntry, type Clock, type Resource, ScalerError, toScalerError } from "@dormouse/core";

/** An accepted claim. */
export interface Claim {
  /** Version that this very write produced. */
  readonly version: string;
  /** Replica count before and after; `from` is 0 for a real wake. */
  readonly from: number;
  readonly to: number;
}

export interface ClaimOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * The accepted, version-moving write by which this DLX may get a licence: it asks for the count that already is, or
 * raises from 0 to the count from before the sleep, never anything else. A conflict or an unknown outcome is read again
 * and repeated, with jitter, until the signal aborts. Rejects with the scaler's error where a repetition cannot help.
 */
export async function claim(entry: () => CatalogEntry, { clock, signal }: ClaimOptions): Promise<Claim> {
  for (let attempt = 0; ; attempt += 1) {
    const { scaler, ref, key } = entry();
    try {
      const resource = await scaler.getResource(ref, { signal });
      if (resource === undefined) throw new ScalerError("SCALER_NOT_FOUND", `${key} is gone`);
      return await claimOnce(entry(), resource, signal);
    } catch (error) {
      const failure = toScalerError(error);
      if (signal.aborted || !failure.retryable) throw failure;
      const waitMs =
        failure.code === "SCALER_CONFLICT"
          ? backoffMs(attempt, { firstMs: 5, longestMs: 200 })
          : backoffMs(attempt, { firstMs: 50, longestMs: 2_000 });
      await clock.sleep(Math.max(waitMs, platformWaitMs(failure)), signal);
    }
  }
}

async function claimOnce({ scaler, ref }: CatalogEntry, resource: Resource, signal: AbortSignal): Promise<Claim> {
  const to = resource.desired >= 1 ? resource.desired : Math.max(1, resource.wakeReplicas);
  const condition = scaler.capabilities.compareAndSet ? { ifVersion: resource.version } : {};
  const { version } = await scaler.setScale(ref, to, { signal, ...condition });
  return { version, from: resource.desired, to };
}

/** A platform that limits the rate of calls says itself how long to wait. */
function platformWaitMs(failure: ScalerError): number {
  return failure.code === "SCALER_RATE_LIMITED" ? (failure.retryAfterMs ?? 0) : 0;
}
