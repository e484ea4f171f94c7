import type { LocalRef } from "@dormouse/core";
import { workloadAnnotations } from "./names.ts";
import type { Metadata, WorkloadObject } from "./objects.ts";

/** What can be scaled. */
export type WorkloadKind = "Deployment" | "StatefulSet";

/** A workload as the informers keep it: what a decision may rest on, and nothing else. */
export interface Workload {
  readonly kind: WorkloadKind;
  readonly metadata: Metadata;
  readonly spec: WorkloadObject["spec"];
  readonly status: NonNullable<WorkloadObject["status"]>;
  /** Epoch ms of the last change of count or specification. */
  readonly updatedAt: number;
}

const statefulSetPrefix = "statefulset:";

/** `web` is a Deployment, `statefulset:db` a StatefulSet. */
export function refOf({ kind, metadata: { namespace, name } }: Pick<Workload, "kind" | "metadata">): LocalRef {
  return { namespace, name: kind === "StatefulSet" ? statefulSetPrefix + name : name };
}

/** The object that a ref means. */
export function objectOf({ namespace, name }: LocalRef): {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
} {
  return name.startsWith(statefulSetPrefix)
    ? { kind: "StatefulSet", namespace, name: name.slice(statefulSetPrefix.length) }
    : { kind: "Deployment", namespace, name };
}

/** Plural of the kind in paths of the API. */
export function pluralOf(kind: WorkloadKind): "deployments" | "statefulsets" {
  return kind === "StatefulSet" ? "statefulsets" : "deployments";
}

/** Leaves out of an object all that nobody here asks for. */
export function toWorkload(kind: WorkloadKind, { metadata, spec, status }: WorkloadObject): Workload {
  const { name, namespace, uid, resourceVersion, generation = 0, creationTimestamp, deletionTimestamp } = metadata;
  const { replicas = 1, selector, template } = spec;
  const containers = template.spec?.containers ?? [];
  return {
    kind,
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      generation,
      creationTimestamp,
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      annotations: ownOf(metadata.annotations),
    },
    spec: {
      replicas,
      selector,
      template: {
        metadata: { labels: template.metadata?.labels ?? {} },
        spec: {
          containers: containers.map(({ name: container, ports = [], readinessProbe }) => ({
            name: container,
            ports,
            ...(readinessProbe !== undefined && { readinessProbe }),
          })),
        },
      },
    },
    status: {
      observedGeneration: status?.observedGeneration ?? 0,
      replicas: status?.replicas ?? 0,
      readyReplicas: status?.readyReplicas ?? 0,
      conditions: status?.conditions ?? [],
    },
    updatedAt: updatedAtOf(metadata),
  };
}

/** Whether the workload itself asks to be managed; what it says besides may still be wrong. */
export function asksToBeManaged({ metadata }: Pick<Workload, "metadata">): boolean {
  return (metadata.annotations?.[workloadAnnotations.enabled] ?? "").trim().toLowerCase() === "true";
}

/** Whether Dormouse has ever scaled it. */
export function wasManaged({ metadata }: Pick<Workload, "metadata">): boolean {
  return metadata.annotations?.[workloadAnnotations.epoch] !== undefined;
}

/** Whether it has any annotation that Dormouse wrote. */
export function hasOwnAnnotations({ metadata: { annotations = {} } }: Pick<Workload, "metadata">): boolean {
  return workloadAnnotations.epoch in annotations || workloadAnnotations.wakeReplicas in annotations;
}

function ownOf(annotations: Metadata["annotations"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations ?? {}).filter(([key]) => key.toLowerCase().startsWith("dormouse.dev/")),
  );
}

/** The newest write of anybody who owns a part of the specification; status and mere annotations leave it alone. */
function updatedAtOf({ managedFields = [], creationTimestamp }: Metadata): number {
  const times = managedFields.flatMap(({ time, fieldsV1 }) =>
    time !== undefined && fieldsV1 !== undefined && "f:spec" in fieldsV1 ? [Date.parse(time)] : [],
  );
  return Math.max(Date.parse(creationTimestamp), ...times.filter(Number.isFinite));
}
