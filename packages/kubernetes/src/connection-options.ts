import { z } from "zod";

/** The options by which every plugin of this package finds its cluster. */
export const connectionOptions = {
  kubeconfig: z.string().min(1).optional().meta({
    description: "Path of a kubeconfig; left out: the service account of the pod, else KUBECONFIG or ~/.kube/config",
  }),
  context: z.string().min(1).optional().meta({ description: "Context of the kubeconfig; left out: its current one" }),
};

/** Name of a namespace (RFC 1123 label). */
export const namespaceSchema = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "is no name of a namespace; use lower-case letters, digits and -");

/** Name of an object (RFC 1123 subdomain). */
export const objectNameSchema = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, "is no name of an object; use lower-case letters, digits, - and .");
