import type { HostRole } from "../host/host-role.ts";
import type { SilentDlx } from "../host/host-traffic.ts";
import type { Milliseconds, ResourceFailure, ResourceState, ScaleEvent } from "@dormouse/core";

/** One resource as `GET /v1/resources` shows it. Times are epoch ms. */
export interface ResourceReport {
  /** Printed ref, `scaler/namespace/name`. */
  readonly ref: string;
  readonly state: ResourceState["kind"];
  /** When this host first saw it in this state. */
  readonly since: number;
  readonly desired: number;
  readonly ready: number;
  /** Replicas that a wake asks for. */
  readonly wakeReplicas: number;
  readonly held: number;
  readonly inFlight: number;
  /** Requests since the host started. */
  readonly requests: number;
  readonly lastActivityAt?: number;
  /** The last wake or sleep, whatever became of it. */
  readonly lastScaleEvent?: ScaleEvent;
  readonly lastWake?: ScaleEvent;
  /** 95th percentile of the last wakes. */
  readonly wakeP95Ms?: Milliseconds;
  readonly failure?: ResourceFailure;
  /** Why it is left alone: what is written about it is wrong. */
  readonly refusal?: ResourceFailure;
}

/** The configuration that is in force, and the one that was refused, if the file has changed to such a one. */
export interface ConfigReport {
  readonly file: string;
  readonly loadedAt: number;
  readonly refused?: { readonly at: number; readonly problems: readonly string[] };
  /** Keys whose new values count from the next start on. */
  readonly needsRestart?: readonly string[];
}

/** Answer to `GET /v1/resources`. */
export interface ResourceList {
  /** Which parts the host runs; requests are those of its own DLX, else of all DLXs together. */
  readonly role: HostRole;
  /** Of a host with an autoscaler among others: whether it may decide, and who does as far as it knows. */
  readonly lead?: { readonly leads: boolean; readonly leader?: string };
  /** DLXs that did not tell what they have: it is not counted. */
  readonly silent?: readonly SilentDlx[];
  readonly resources: readonly ResourceReport[];
  readonly config: ConfigReport;
  /** Scalers that do not list at the moment; what is known of their resources is old. */
  readonly unlisted: readonly { readonly scaler: string; readonly code?: string; readonly message?: string }[];
}
