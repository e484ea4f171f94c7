import { z } from "zod";
import { connectionOptions, namespaceSchema } from "../connection-options.ts";
import { annotationPrefix } from "../workloads/workload-objects.ts";

/** Options of the route source `kubernetes`. */
export const routeSourceOptionsSchema = z.strictObject({
  ...connectionOptions,
  scaler: z
    .string()
    .min(1)
    .default("k8s-deployment")
    .meta({ description: "Id of the scaler whose resources the workloads are" }),
  namespaces: z
    .array(namespaceSchema)
    .min(1)
    .max(200)
    .optional()
    .meta({ description: "Where routes and workloads are looked for; left out: in all namespaces" }),
  ingress: z.boolean().default(true).meta({ description: "Take routes from Ingress objects" }),
  gateway: z
    .boolean()
    .default(true)
    .meta({ description: "Take routes from HTTPRoute objects where the cluster has them when the host starts" }),
  annotationPrefix: z
    .string()
    .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?\/$/, 'is no prefix of annotations; write for example "dormouse.dev/"')
    .default(annotationPrefix)
    .meta({ description: "Prefix of the annotations enabled and service" }),
});

/** The same, parsed. */
export type RouteSourceOptions = z.output<typeof routeSourceOptionsSchema>;
