import type { RouteDirection } from "@dormouse/core";
import { routeAnnotation, workloadAnnotations } from "./names.ts";
import type { Metadata } from "./objects.ts";

/** Who last sent a Service's traffic where, as it is written on the Service and on its extra slices. */
export interface RouteRecord {
  readonly to: RouteDirection;
  /** Uid of the workload whose version the write had. */
  readonly uid: string;
  readonly epoch: number;
}

/** Undefined where nothing is recorded, or nothing that can be read. */
export function readRoute({ annotations }: Pick<Metadata, "annotations">): RouteRecord | undefined {
  const parts = /^(dlx|resource) ([A-Za-z0-9-]+) (\d{1,15})$/.exec(annotations?.[routeAnnotation] ?? "");
  if (parts === null) return undefined;
  const [, to, uid = "", epoch = ""] = parts;
  return { to: to === "dlx" ? "dlx" : "resource", uid, epoch: Number(epoch) };
}

/** The annotation's value. */
export function formatRoute({ to, uid, epoch }: RouteRecord): string {
  return `${to} ${uid} ${String(epoch)}`;
}

/** Whether a record is from a later write than a call with this version. That of another workload of the same name never is. */
export function isNewer(
  record: RouteRecord | undefined,
  { uid, epoch }: { readonly uid: string; readonly epoch: number },
): boolean {
  return record !== undefined && record.uid === uid && record.epoch > epoch;
}

/** A count of replicas in an annotation; undefined where it is none that anybody can want. */
export function readWakeReplicas({ annotations }: Pick<Metadata, "annotations">): number | undefined {
  const text = annotations?.[workloadAnnotations.wakeReplicas] ?? "";
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  return count >= 1 ? count : undefined;
}
