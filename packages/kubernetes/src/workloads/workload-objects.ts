import type { KubeObject } from "../kube-object.ts";
import type { WorkloadKind, WorkloadName } from "../workload-ref.ts";

/** What every annotation and selector key of Dormouse begins with. */
export const annotationPrefix = "dormouse.dev/";

/** A Deployment or StatefulSet, as far as it leads to a Service. */
export interface WorkloadObject extends KubeObject {
  readonly spec?: {
    readonly template?: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } };
  };
}

/** What is kept of one. */
export interface Workload extends WorkloadName {
  readonly enabled: boolean;
  /** The Service that it names, if any. */
  readonly service: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** A Service. */
export interface ServiceObject extends KubeObject {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly selector?: Readonly<Record<string, string>> | null;
    readonly ports?: readonly { readonly name?: string; readonly port: number }[] | null;
  };
}

/** What is kept of one. */
export interface Service {
  readonly namespace: string;
  readonly name: string;
  /** Without what Dormouse added; empty: it selects nothing. */
  readonly selector: readonly (readonly [key: string, value: string])[];
  /** No address of its own: its clients go to the pods themselves. */
  readonly isHeadless: boolean;
  readonly ports: readonly { readonly name?: string; readonly port: number }[];
}

/** @param prefix of annotations */
export function toWorkload(kind: WorkloadKind, { metadata, spec }: WorkloadObject, prefix: string): Workload {
  const annotations = metadata.annotations ?? {};
  return {
    kind,
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    enabled:
      annotations[`${prefix}enabled`]?.trim().toLowerCase() === "true" && metadata.deletionTimestamp === undefined,
    service: annotations[`${prefix}service`]?.trim(),
    labels: spec?.template?.metadata?.labels ?? {},
  };
}

/** @param prefix of keys that are Dormouse's: while a Service is diverted, its selector has one more */
export function toService({ metadata, spec }: ServiceObject, prefix: string): Service {
  const selector = Object.entries(spec?.selector ?? {}).filter(([key]) => key !== `${prefix}diverted`);
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    selector: spec?.type === "ExternalName" ? [] : selector.toSorted(([one], [other]) => (one < other ? -1 : 1)),
    isHeadless: spec?.clusterIP === "None",
    ports: (spec?.ports ?? []).map(({ name, port }) => (name === undefined ? { port } : { name, port })),
  };
}
