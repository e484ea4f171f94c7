import { positiveDurationSchema } from "@dormouse/core";
import { z } from "zod";
import { connectionOptions, namespaceSchema, objectNameSchema } from "../connection-options.ts";

/** How much the pace of candidates is spread: each waits one to two retry periods and a bit. */
export const jitterFactor = 1.2;

/** Options of the leader elector `kubernetes`. */
export const leaderElectorOptionsSchema = z
  .strictObject({
    ...connectionOptions,
    name: objectNameSchema
      .default("dormouse-autoscaler")
      .meta({ description: "Name of the Lease; the same for all who may lead together" }),
    namespace: namespaceSchema
      .optional()
      .meta({ description: "Where the Lease is; left out: the namespace of the pod or context" }),
    leaseDuration: positiveDurationSchema
      .refine((ms) => ms % 1_000 === 0, { error: 'must be whole seconds, for example "15s"' })
      .default(15_000)
      .meta({ description: "Others wait this long after the last renewal that they saw before they take over" }),
    renewDeadline: positiveDurationSchema
      .default(10_000)
      .meta({ description: "A leader that could not renew for this long leads no more; less than leaseDuration" }),
    retryPeriod: positiveDurationSchema
      .default(2_000)
      .meta({ description: "Pause between two tries to renew or to take over" }),
  })
  .check(({ value, issues }) => {
    const { leaseDuration, renewDeadline, retryPeriod } = value;
    const refuse = (key: string, message: string): void =>
      void issues.push({ code: "custom", input: value, path: [key], message });
    if (renewDeadline >= leaseDuration) refuse("renewDeadline", "must be less than leaseDuration");
    if (retryPeriod * jitterFactor >= renewDeadline)
      refuse("retryPeriod", `must be less than renewDeadline divided by ${String(jitterFactor)}`);
  });

/** The same, parsed. */
export type LeaderElectorOptions = z.output<typeof leaderElectorOptionsSchema>;
