import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { definePort, type LeaderElector, type PortPlugin } from "@dormouse/core";
import { openCluster } from "../cluster/open-cluster.ts";
import { type LeaderElectorOptions, leaderElectorOptionsSchema } from "./leader-elector-options.ts";
import { LeaseElector } from "./lease-elector.ts";
import { toLeaseStore } from "./lease-store.ts";

/** The leader elector `kubernetes`: one Lease of `coordination.k8s.io`, by the rules of client-go. */
export const leaderElector: PortPlugin<"leaderElector", LeaderElectorOptions> = definePort("leaderElector", {
  name: "kubernetes",
  options: leaderElectorOptionsSchema,
  create: async (options, { clock, logger }): Promise<LeaderElector> => {
    const { kubeconfig, context, name } = options;
    const cluster = await openCluster({ kubeconfig, context, clock, logger });
    const elector = new LeaseElector({
      store: toLeaseStore(cluster, options.namespace ?? cluster.namespace, name),
      clock,
      logger,
      // In a pod the host's name is the pod's; each start is somebody else.
      identity: `${hostname()}_${randomUUID()}`,
      leaseDurationMs: options.leaseDuration,
      renewDeadlineMs: options.renewDeadline,
      retryPeriodMs: options.retryPeriod,
    });
    return {
      isLeader: () => elector.isLeader(),
      lead: (signal) => elector.lead(signal),
      [Symbol.asyncDispose]: async () => {
        await elector[Symbol.asyncDispose]();
        await cluster[Symbol.asyncDispose]();
      },
    };
  },
});
