import { workloadAnnotations } from "./names.ts";
import type { Metadata } from "./objects.ts";

/** One moment of a workload's wanted shape. */
export interface WorkloadVersion {
  readonly uid: string;
  /** Moves with every change of the specification, by whomever. */
  readonly generation: number;
  /** Moves with every setScale, also to the count that already is. */
  readonly epoch: number;
}

/** The version of a workload as it was read. */
export function versionOf({ uid, generation = 0, annotations }: Metadata): WorkloadVersion {
  return { uid, generation, epoch: epochOf(annotations) };
}

/** As the contract passes it about. */
export function formatVersion({ uid, generation, epoch }: WorkloadVersion): string {
  return `${uid}.${String(generation)}.${String(epoch)}`;
}

/** Undefined where the text is no version of this scaler. */
export function parseVersion(text: string): WorkloadVersion | undefined {
  const parts = /^([A-Za-z0-9-]+)\.(\d{1,15})\.(\d{1,15})$/.exec(text);
  if (parts === null) return undefined;
  const [, uid = "", generation = "", epoch = ""] = parts;
  return { uid, generation: Number(generation), epoch: Number(epoch) };
}

/** The epoch in a workload's annotations; 0 where there is none, or one that nobody of us wrote. */
export function epochOf(annotations: Readonly<Record<string, string>> | undefined): number {
  const text = annotations?.[workloadAnnotations.epoch] ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

/**
 * The epoch of the next write: more than the last one, and at least the time. A tool that takes the annotation away
 * cannot bring a version back that somebody still holds, since the time has gone on.
 *
 * @param now epoch ms
 */
export function nextEpoch(last: number, now: number): number {
  return Math.max(last + 1, Math.floor(now));
}
