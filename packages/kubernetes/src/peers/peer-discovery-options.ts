import { z } from "zod";
import { connectionOptions, namespaceSchema, objectNameSchema } from "../connection-options.ts";

const labelSelector = z.string().trim().min(1, 'must name the DLX pods, for example "app.kubernetes.io/component=dlx"');

/** Options of the peer discovery `kubernetes`. */
export const peerDiscoveryOptionsSchema = z.strictObject({
  ...connectionOptions,
  selector: labelSelector.meta({
    description: 'Label selector of the DLX pods, and of no others, for example "app.kubernetes.io/component=dlx"',
  }),
  namespace: namespaceSchema
    .optional()
    .meta({ description: "Where the DLX pods are; left out: the namespace of the pod or context" }),
  adminPort: z
    .int()
    .min(1)
    .max(65_535)
    .default(8081)
    .meta({ description: "Port of the DLXs' admin API, the same on all of them" }),
  scheme: z.enum(["http", "https"]).default("http").meta({ description: "How their admin API is reached" }),
  pod: objectNameSchema
    .optional()
    .meta({ description: "Name of the own pod; needed where this host runs a DLX, by the downward API" }),
});

/** The same, parsed. */
export type PeerDiscoveryOptions = z.output<typeof peerDiscoveryOptionsSchema>;
