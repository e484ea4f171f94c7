import type { LocalRef } from "@dormouse/core";

/** What the scaler `k8s-deployment` manages. */
export type WorkloadKind = "Deployment" | "StatefulSet";

/** A workload of a namespace. */
export interface WorkloadName {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
}

/** Plural of each kind. */
export const workloadPlurals = { Deployment: "deployments", StatefulSet: "statefulsets" } as const;

const statefulSetPrefix = "statefulset:";

/** The workload that a ref means: `web` is a Deployment, `statefulset:db` a StatefulSet; undefined for any other form. */
export function toWorkloadName({ namespace, name }: LocalRef): WorkloadName | undefined {
  if (name.startsWith(statefulSetPrefix))
    return { kind: "StatefulSet", namespace, name: name.slice(statefulSetPrefix.length) };
  return name.includes(":") ? undefined : { kind: "Deployment", namespace, name };
}

/** The ref of a workload within its scaler. */
export function toLocalRef({ kind, namespace, name }: WorkloadName): LocalRef {
  return { namespace, name: kind === "StatefulSet" ? `${statefulSetPrefix}${name}` : name };
}
