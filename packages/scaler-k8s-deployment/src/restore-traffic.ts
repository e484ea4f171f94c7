import { backoffMs, type Clock, type LocalRef, ScalerError } from "@dormouse/core";
import { inTrafficWithinMs, type RouteApi, type RouteOrder } from "./route-api.ts";
import type { SettledPods } from "./settled-pods.ts";
import type { Workload } from "./workload.ts";

/** What a restore looks at while it waits. */
export interface RestoreParts {
  readonly ref: LocalRef;
  readonly workload: Workload;
  readonly routes: RouteApi;
  readonly settled: SettledPods;
  readonly clock: Clock;
}

/**
 * Gives a Service's traffic back to its pods: they come in beside the DLXs, and once as many as are wanted are in the
 * traffic, and will stay, the DLXs leave. Rejects, to be tried again, where they do not come in time.
 */
export async function restoreTraffic(
  order: RouteOrder,
  { ref, workload, routes, settled, clock }: RestoreParts,
  signal: AbortSignal | undefined,
): Promise<void> {
  const desired = workload.spec.replicas ?? 1;
  if (desired === 0)
    throw new ScalerError(
      "SCALER_UNAVAILABLE",
      `${ref.namespace}/${ref.name} is to have no replicas, so the DLXs keep its traffic`,
    );
  await routes.beginRestore(order, signal);
  const startedAt = clock.monotonic();
  for (let tries = 0; ; tries += 1) {
    const inTraffic = await routes.podsInTraffic(order.service, signal);
    const staying = await settled.of(ref, workload, signal);
    const count = staying.filter(({ metadata }) => inTraffic.has(metadata.uid)).length;
    if (count >= desired) return routes.endRestore(order, signal);
    if (clock.monotonic() - startedAt > inTrafficWithinMs)
      throw new ScalerError(
        "SCALER_UNAVAILABLE",
        `only ${String(count)} of ${String(desired)} pods of ${ref.namespace}/${ref.name} are in its Service's traffic yet`,
      );
    await clock.sleep(backoffMs(tries, { firstMs: 30, longestMs: 500 }), signal);
  }
}
