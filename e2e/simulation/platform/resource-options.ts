import type { Milliseconds, Policy, ResourceRef } from "@dormouse/core";
import type { FakeClock } from "@dormouse/core/testing";
import type { TimeLine } from "../engine/time-line.ts";
import type { SimulatedResource } from "./simulated-resource.ts";

export type Way = "dlx" | "resource";

/** One accepted write. */
export interface Write {
  readonly by: string;
  readonly from: number;
  readonly to: number;
  readonly version: number;
}

export interface ResourceOptions {
  readonly ref: ResourceRef;
  readonly policy: Policy;
  readonly desired: number;
  readonly seed: number;
  readonly clock: FakeClock;
  readonly timeLine: TimeLine | undefined;
  /** How long its instances take, by chance between these. */
  readonly slowStarts: number;
  /** How long a change of its route may take until all clients have heard of it. */
  readonly propagationMs: Milliseconds;
  readonly compareAndSet: boolean;
  /** Its traffic is a Service's; told whether there is a DLX. Left out: one route in one object. */
  readonly hasDlx?: (() => boolean) | undefined;
  readonly changed: (resource: SimulatedResource) => void;
  readonly written: (resource: SimulatedResource, write: Write) => void;
}
