import type { Condition, PodObject } from "./objects.ts";
import type { Workload } from "./workload.ts";

/** Leaves out of a pod all that nobody here asks for; there may be many. */
export function toPod({ metadata, status = {} }: PodObject): PodObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp, labels, ownerReferences } =
    metadata;
  const { phase, podIP, conditions = [], containerStatuses, initContainerStatuses } = status;
  return {
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      creationTimestamp,
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(labels !== undefined && { labels }),
      ...(ownerReferences !== undefined && { ownerReferences }),
    },
    status: {
      ...(phase !== undefined && { phase }),
      ...(podIP !== undefined && { podIP }),
      conditions: conditions.filter(({ type }) => type === "Ready" || type === "PodScheduled"),
      ...(containerStatuses !== undefined && { containerStatuses: containerStatuses.map(toStatus) }),
      ...(initContainerStatuses !== undefined && { initContainerStatuses: initContainerStatuses.map(toStatus) }),
    },
  };
}

function toStatus({
  name,
  restartCount = 0,
  state,
  lastState,
}: NonNullable<NonNullable<PodObject["status"]>["containerStatuses"]>[number]) {
  const waiting = state?.waiting;
  const terminated = lastState?.terminated;
  return {
    name,
    restartCount,
    ...(waiting !== undefined && { state: { waiting } }),
    ...(terminated !== undefined && { lastState: { terminated } }),
  };
}

/**
 * Which workload a pod belongs to, as `namespace/Kind/name`; empty where it belongs to none that can be scaled. A
 * ReplicaSet of a Deployment has its name and the hash that its pods carry as a label.
 */
export function ownerKeyOf({ metadata: { namespace, labels, ownerReferences = [] } }: PodObject): string {
  const owner = ownerReferences.find(({ kind }) => kind === "ReplicaSet" || kind === "StatefulSet");
  if (owner === undefined) return "";
  if (owner.kind === "StatefulSet") return `${namespace}/StatefulSet/${owner.name}`;
  const suffix = `-${labels?.["pod-template-hash"] ?? ""}`;
  return suffix !== "-" && owner.name.endsWith(suffix)
    ? `${namespace}/Deployment/${owner.name.slice(0, -suffix.length)}`
    : "";
}

/** The same key for the workload. */
export function ownerKey({ kind, metadata: { namespace, name } }: Pick<Workload, "kind" | "metadata">): string {
  return `${namespace}/${kind}/${name}`;
}

/** It has not ended and nothing is about to end it. */
export function isLiving({ metadata, status }: PodObject): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase !== "Succeeded" && status?.phase !== "Failed";
}

/** The platform's own word on whether it takes traffic. */
export function isReady({ status }: PodObject): boolean {
  return conditionOf(status?.conditions, "Ready")?.status === "True";
}

function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
