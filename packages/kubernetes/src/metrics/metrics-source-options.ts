import { positiveDurationSchema } from "@dormouse/core";
import { z } from "zod";
import { connectionOptions, namespaceSchema } from "../connection-options.ts";

const objectSchema = z.enum(["workload", "service"]);

const metricSchema = z.strictObject({
  metric: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "Its name in the custom metrics API; left out: the name that idle rules use" }),
  object: objectSchema.optional().meta({ description: "What carries it; left out: as for all metrics" }),
  selector: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "Label selector of the metric, which adapters turn into a query's conditions" }),
});

/** Options of the metrics source `kubernetes`. */
export const metricsSourceOptionsSchema = z
  .strictObject({
    ...connectionOptions,
    api: z.enum(["custom", "resource"]).default("custom").meta({
      description: "Where numbers come from: the custom metrics API, or CPU and memory by the resource metrics API",
    }),
    scaler: z
      .string()
      .min(1)
      .default("k8s-deployment")
      .meta({ description: "Id of the scaler whose resources have these metrics" }),
    namespaces: z.array(namespaceSchema).min(1).max(200).optional().meta({
      description: "Where workloads, or Services that carry metrics, are followed; left out: in all namespaces",
    }),
    object: objectSchema
      .default("workload")
      .meta({ description: "What carries a metric: the Deployment or StatefulSet itself, or the Service before it" }),
    metrics: z
      .record(z.string().min(1), metricSchema)
      .default({})
      .meta({ description: "What differs for single metrics, by the names that idle rules use" }),
    timeout: positiveDurationSchema
      .prefault("4s")
      .meta({ description: "How long one query may take; the autoscaler waits 5 s at most" }),
  })
  .refine(
    ({ api, object, metrics }) => api === "custom" || (object === "workload" && Object.keys(metrics).length === 0),
    {
      error:
        "has object or metrics beside api: resource, whose metrics are cpu, memory, cpu-utilization and memory-utilization",
    },
  );

/** The same, parsed. */
export type MetricsSourceOptions = z.output<typeof metricsSourceOptionsSchema>;
