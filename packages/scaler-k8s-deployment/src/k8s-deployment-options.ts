import { durationSchema } from "@dormouse/core";
import { z } from "zod";

const name = z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, {
  error: ({ input }) => `${JSON.stringify(input)} is no name of a Kubernetes object`,
});

const portsSchema = z
  .strictObject({
    from: z.int().min(1_024).max(65_535).default(20_000).meta({ description: "First port" }),
    to: z.int().min(1_024).max(65_535).default(29_999).meta({ description: "Last port" }),
  })
  .refine(({ from, to }) => from <= to && to - from < 10_000, {
    error: "is no range of 1 to 10000 ports; write for example { from: 20000, to: 29999 }",
  });

const dlxSchema = z.strictObject({
  service: name
    .default("dormouse-dlx")
    .meta({ description: "Service whose ready endpoints are the DLXs that diverted traffic goes to" }),
  namespace: name.optional().meta({ description: "Its namespace; left out: the one that the host runs in" }),
  ports: portsSchema.prefault({}).meta({ description: "Ports of the DLXs' pods, one for each port of each Service" }),
  address: z
    .union([z.ipv4(), z.ipv6()])
    .default("0.0.0.0")
    .meta({ description: "Address that the DLXs listen on at these ports" }),
});

/** Options of the scaler `k8s-deployment`. */
export const k8sDeploymentOptions = z
  .strictObject({
    namespaces: z
      .array(name)
      .min(1)
      .max(200)
      .refine((all) => new Set(all).size === all.length, { error: "names a namespace twice" })
      .optional()
      .meta({ description: "Namespaces whose workloads may be managed; left out: all" }),
    kubeconfig: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "Path of a kubeconfig; left out: the pod's service account, else the usual place" }),
    context: z.string().min(1).optional().meta({ description: "Context in it; left out: its current one" }),
    dlx: dlxSchema.prefault({}).meta({ description: "Where diverted traffic goes" }),
    state: z
      .strictObject({
        configMap: name
          .default("dormouse-state")
          .meta({ description: "ConfigMap that says which port belongs to which Service" }),
        namespace: name.optional().meta({ description: "Its namespace; left out: the one that the host runs in" }),
      })
      .prefault({}),
    unschedulableAfter: durationSchema.prefault("2m").meta({
      description: "How long a pod may wait for a node, one that is being made perhaps, before its start has failed",
    }),
    keep: z.boolean().default(true).meta({
      description: "Keep the extra EndpointSlices in order; of hosts that run apart, the autoscalers alone should",
    }),
    events: z.boolean().default(true).meta({ description: "Write a Kubernetes Event for each wake and sleep" }),
  })
  .prefault({});

/** The options as the scaler gets them. */
export type K8sDeploymentOptions = z.output<typeof k8sDeploymentOptions>;
