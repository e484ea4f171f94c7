import { definePort, type PortPlugin } from "@dormouse/core";
import { openCluster } from "../cluster/open-cluster.ts";
import type { WorkloadName } from "../workload-ref.ts";
import { WorkloadServices } from "../workloads/workload-services.ts";
import { CustomMetricsApi } from "./custom-metrics-api.ts";
import { CustomMetricsSource } from "./custom-metrics-source.ts";
import { type MetricsSourceOptions, metricsSourceOptionsSchema } from "./metrics-source-options.ts";

/** The metrics source `kubernetes`: the custom metrics API (https://github.com/kubernetes/metrics), which adapters serve. */
export const metricsSource: PortPlugin<"metricsSource", MetricsSourceOptions> = definePort("metricsSource", {
  name: "kubernetes",
  options: metricsSourceOptionsSchema,
  create: async (options, { clock, logger }) => {
    const { kubeconfig, context, namespaces } = options;
    const cluster = await openCluster({ kubeconfig, context, clock, logger });
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

function needsServices({ object, metrics }: MetricsSourceOptions): boolean {
  return object === "service" || Object.values(metrics).some((metric) => metric.object === "service");
}
