import type { Clock } from "@dormouse/core";
import { apiPath, type Cluster } from "@dormouse/kubernetes";
import { isWritten, refuseOlder, repeatWrite } from "./conditional-write.ts";
import { divertedKey, divertedValue, routeAnnotation } from "./names.ts";
import type { ServiceObject } from "./objects.ts";
import { formatRoute, readRoute, type RouteRecord } from "./route-record.ts";
import { mergePatch } from "./workload-api.ts";

/** What is written on Services themselves: the extra key of the selector, and the record of who routed last. */
export class ServiceApi {
  readonly #cluster: Cluster;
  readonly #clock: Clock;

  constructor(cluster: Cluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  /**
   * Writes record and key, on the Service as it is now.
   * @throws ScalerError `SCALER_CONFLICT` where a newer version has routed
   */
  async route(
    { metadata: { namespace, name } }: ServiceObject,
    record: RouteRecord,
    hasKey: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await repeatWrite(`Service ${namespace}/${name}`, { clock: this.#clock, signal }, async () => {
      const { metadata, spec } = await this.#cluster.request<ServiceObject>("GET", pathOf(namespace, name), { signal });
      refuseOlder(readRoute(metadata), record);
      const isAsWanted =
        (spec.selector?.[divertedKey] !== undefined) === hasKey &&
        metadata.annotations?.[routeAnnotation] === formatRoute(record);
      if (isAsWanted) return true;
      const { resourceVersion } = metadata;
      const body = {
        metadata: { resourceVersion, annotations: { [routeAnnotation]: formatRoute(record) } },
        spec: { selector: { [divertedKey]: hasKey ? divertedValue : null } },
      };
      return isWritten(this.#cluster.request("PATCH", pathOf(namespace, name), { ...mergePatch, body, signal }));
    });
  }

  /** Puts the extra key into the selector or takes it out, if the Service is still the one that was read; its record stays. */
  async setKey(
    { metadata: { namespace, name, resourceVersion } }: ServiceObject,
    isWanted: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const selector = { [divertedKey]: isWanted ? divertedValue : null };
    const body = { metadata: { resourceVersion }, spec: { selector } };
    await this.#cluster.request("PATCH", pathOf(namespace, name), { ...mergePatch, body, signal });
  }

  /** Takes record and key away. */
  async forget({ metadata: { namespace, name } }: ServiceObject, signal: AbortSignal | undefined): Promise<void> {
    const body = {
      metadata: { annotations: { [routeAnnotation]: null } },
      spec: { selector: { [divertedKey]: null } },
    };
    await this.#cluster.request("PATCH", pathOf(namespace, name), { ...mergePatch, body, signal });
  }
}

function pathOf(namespace: string, name: string): string {
  return apiPath("v1", "services", { namespace, name });
}
