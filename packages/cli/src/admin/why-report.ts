import type { DecisionRecord } from "@dormouse/autoscaler";
import type { Milliseconds, ResourceFailure, ResourceState, ScaleEvent } from "@dormouse/core";

/** What happens next if nothing else does. */
export type NextChange =
  /** Time alone puts it to sleep; `inMs` 0: with the next tick. */
  | { readonly kind: "sleep"; readonly inMs: Milliseconds }
  /** Only something else than time can change it: `until` says what. */
  | { readonly kind: "stay"; readonly until: string }
  /** The next request wakes it; `notBeforeMs`: a wake has failed, and until then requests are refused. */
  | { readonly kind: "wake-on-request"; readonly notBeforeMs: Milliseconds; readonly typicalWakeMs?: Milliseconds }
  /** A wake or sleep runs. */
  | { readonly kind: "running"; readonly operation: "wake" | "sleep"; readonly typicalMs?: Milliseconds };

/** One way for a request to get to a resource. */
export interface Entrance {
  /** `host:port` at which the DLX listens, as really bound. */
  readonly listen: string;
  /** What `Host` has to be, `*.example.com` for all names below; left out: anything. */
  readonly host?: string;
  /** What the path has to begin with; left out: anything. */
  readonly path?: string;
  /** Headers that the request has to have. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answer to `GET /v1/resources/{ref}/why`: why a resource is in its state, and what comes next. */
export interface WhyReport {
  readonly ref: string;
  readonly state: ResourceState["kind"];
  /** Epoch ms. */
  readonly since: number;
  /** What brought it into the state, where this host saw it. */
  readonly cause?: { readonly by: string; readonly reason: string; readonly at: number };
  readonly replicas: { readonly desired: number; readonly ready: number; readonly onWake: number };
  readonly traffic: {
    readonly held: number;
    readonly inFlight: number;
    readonly requests: number;
    readonly idleForMs: Milliseconds;
    readonly lastActivityAt?: number;
    readonly targets: number;
  };
  /** Hosts, paths and listeners that lead here. */
  readonly routes: readonly string[];
  /** The same for programs, by the addresses at which the DLX really listens. */
  readonly entrances: readonly Entrance[];
  /** What speaks against the next change, or for it, in sentences. */
  readonly because: readonly string[];
  readonly next: NextChange;
  /** The autoscaler's last decision with what it was made from. */
  readonly decision?: DecisionRecord;
  /** With the platform's own text. */
  readonly failure?: ResourceFailure;
  /** Why it is left alone: what is written about it is wrong, as its scaler says it. */
  readonly refusal?: ResourceFailure;
  readonly lastWake?: ScaleEvent;
  readonly lastSleep?: ScaleEvent;
  /** Problems of the host that concern it: a platform that does not list, a refused configuration. */
  readonly warnings: readonly string[];
}
