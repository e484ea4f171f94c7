import { type Clock, definePort, type Logger, type MetricsSource, type PortPlugin } from "@dormouse/core";
import type { Cluster } from "../cluster/cluster.ts";
import { openCluster } from "../cluster/open-cluster.ts";
import type { WorkloadName } from "../workload-ref.ts";
import { FollowedWorkloads } from "../workloads/followed-workloads.ts";
import { WorkloadServices } from "../workloads/workload-services.ts";
import { CustomMetricsApi } from "./custom-metrics-api.ts";
import { CustomMetricsSource } from "./custom-metrics-source.ts";
import { type MetricsSourceOptions, metricsSourceOptionsSchema } from "./metrics-source-options.ts";
import { listPodMetrics } from "./pod-metrics.ts";
import { ResourceMetricsSource } from "./resource-metrics-source.ts";

/** The metrics source `kubernetes`: the custom or the resource metrics API (https://github.com/kubernetes/metrics). */
export const metricsSource: PortPlugin<"metricsSource", MetricsSourceOptions> = definePort("metricsSource", {
  name: "kubernetes",
  options: metricsSourceOptionsSchema,
  create: async (options, { clock, logger }) => {
    const { kubeconfig, context, namespaces } = options;
    const cluster = await openCluster({ kubeconfig, context, clock, logger });
    if (options.api === "resource") return openResourceSource(options, { cluster, clock, logger });
    const services = needsServices(options) ? new WorkloadServices({ cluster, namespaces, clock, logger }) : undefined;
    return new CustomMetricsSource({
      api: new CustomMetricsApi(cluster),
      options,
      serviceOf: (workload: WorkloadName) => {
        // What may be out of date is not known.
        if (services?.problem !== undefined) throw services.problem;
        return services?.serviceOf(workload)?.name;
      },
      clock,
      logger,
      close: async () => {
        await services?.[Symbol.asyncDispose]();
        await cluster[Symbol.asyncDispose]();
      },
    });
  },
});

interface Opened {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
}

function openResourceSource(options: MetricsSourceOptions, { cluster, clock, logger }: Opened): MetricsSource {
  const { namespaces, scaler, timeout: timeoutMs } = options;
  const workloads = new FollowedWorkloads({ cluster, namespaces, clock, logger });
  return new ResourceMetricsSource({
    list: (namespace, signal) => listPodMetrics(cluster, namespace, { signal, deadlineMs: timeoutMs }),
    whenSynced: (signal) => workloads.whenSynced(signal),
    workloadOf: (workload) => {
      // What may be out of date is not known.
      if (workloads.problem !== undefined) throw workloads.problem;
      return workloads.get(workload);
    },
    scaler,
    timeoutMs,
    clock,
    logger,
    close: async () => {
      await workloads[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  });
}

function needsServices({ object, metrics }: MetricsSourceOptions): boolean {
  return object === "service" || Object.values(metrics).some((metric) => metric.object === "service");
}
