import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Clock, Milliseconds } from "./clock.ts";
import type { ErrorCode } from "./error-codes.ts";
import type { Logger } from "./logger.ts";
import type { Policy } from "./policy.ts";
import type { LocalRef } from "./resource-ref.ts";

/*
 * The contract between Dormouse and a platform. A plugin author needs this file and no other.
 *
 * A plugin is a value, exported as `scaler` and made by `defineScaler`. Importing it has no effect; `create` opens it.
 * One instance serves the autoscaler and the DLX at once, so calls overlap freely. The host wraps each instance in a
 * guard that checks arguments, sets deadlines, shapes errors, creates once and disposes once: a plugin stays naive.
 *
 * Facts, not states. A plugin reports what the platform says: how many replicas are wanted, how many are ready, why the
 * resource cannot start. Whether that is "asleep" or "waking" is derived by core.
 *
 * Versions. `version` is opaque text that names one moment of a resource's wanted shape. It moves with every accepted
 * `setScale`, even to the count that already is, and with every change of count or specification by anybody else. It
 * does not move with mere status: an instance that becomes ready leaves it alone. Wake and sleep are safe only by this.
 *
 * Scaling. `setScale` resolves as soon as the platform has accepted the wish, with the version that this very call
 * produced. A count of one or more is stored as `wakeReplicas` in the same write; zero never is, so that a wake finds
 * the count from before the sleep. With `ifVersion` and the capability `compareAndSet` the comparison and the write are
 * one atomic step on the platform; another version rejects with `SCALER_CONFLICT` and changes nothing. A call for the
 * count that already is starts whatever of it is missing: that is how a wake asks again after a failed start.
 *
 * Targets. `resolveTargets` gives candidates for one port: addresses of instances that no stop accepted so far can
 * still end. An instance that an earlier stop is about to end is left out, however healthy it looks. None: an empty
 * list. A port that the resource does not have rejects with `SCALER_BAD_ARGUMENT`. `ready: true` is a hint to dial; the
 * DLX dials before it believes.
 *
 * Routing. Where the platform sends a resource's own traffic by itself (a Kubernetes Service, a load balancer), the
 * capability `routing` says that `routeTraffic` can point it at the DLX and back. Each call carries the version its
 * operation wrote; once a newer one was accepted, an older one rejects with `SCALER_CONFLICT`. "resource" makes before it
 * breaks: the resource's own instances are in place before the DLX leaves. A scaler that can tell where the traffic goes
 * says so in `routedTo`, and tells each change of it; where it does not, a host asserts each route anew after its start.
 * `ports[].listen` stays for as long as traffic may come there, whatever the policy says: DLXs answer all of it.
 *
 * Refusals. What is written about a resource may be wrong: then `refusal` says why, its policy is not enabled, and it is
 * never put to sleep. It is listed all the same, and takes `setScale` and `routeTraffic`: what was diverted is given back.
 *
 * Errors are `ScalerError`s with a code of the table, translated from the platform's in one file of the plugin. A call
 * whose outcome is unknown rejects with a retryable code (`SCALER_UNAVAILABLE`, `SCALER_TIMEOUT`), never with success.
 *
 * Cancelling. Every call takes a signal. Once it aborts, the call rejects promptly; what the platform had accepted by
 * then stays accepted.
 */

/** Major version of this contract. A host refuses a plugin of another one and names both. */
export const contractVersion = 1;

/** What every call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** What `setScale` takes. */
export interface SetScaleOptions extends CallOptions {
  /** Accept only if the resource's version still is this one. */
  readonly ifVersion?: string;
}

/** What `routeTraffic` takes. */
export interface RouteTrafficOptions extends CallOptions {
  /** Version that the operation behind this call produced. */
  readonly version: string;
}

/** What a scaler can do; constant for the life of an instance. The conformance kit chooses its rules by it. */
export interface Capabilities {
  /** `one`: 0 or 1; `many`: any count. */
  readonly replicas: "one" | "many";
  /** Has `watchResources`. */
  readonly watch: boolean;
  /** Has `routeTraffic`. */
  readonly routing: boolean;
  /** `ifVersion` is compared and written in one atomic step. */
  readonly compareAndSet: boolean;
  /** No call is accepted by the platform later than this after it ended for its caller in whatever way, in ms. What was accepted may take longer to show. */
  readonly settleWithinMs: Milliseconds;
}

/** A port that a resource listens on. */
export interface ResourcePort {
  readonly name: string;
  readonly number: number;
  readonly protocol: "http" | "h2c" | "tcp";
  /** `routing`: where a DLX has to listen for this port's own traffic, `host:port`, for as long as the platform may send it there. */
  readonly listen?: string;
}

/** Who receives a resource's own traffic. */
export type RouteDirection = "dlx" | "resource";

/** Why a resource cannot start, as the platform says it. For operators, never for callers. */
export interface ResourceFailure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a platform says of a resource now. */
export interface Resource {
  readonly ref: LocalRef;
  /** Replicas wanted now, >= 0. */
  readonly desired: number;
  /** Replicas that the platform calls ready, >= 0. */
  readonly ready: number;
  /** Replicas that a wake asks for, >= 1. */
  readonly wakeReplicas: number;
  readonly version: string;
  readonly failure?: ResourceFailure;
  /** Why the resource is left alone: what is written about it is wrong. Its policy is not enabled then. */
  readonly refusal?: ResourceFailure;
  /** `routing`: who receives the resource's own traffic now, as the platform shows it; left out: not known, or something between. */
  readonly routedTo?: RouteDirection;
  readonly ports: readonly ResourcePort[];
  /** From `parsePolicy` or `parsePolicyLabels`. */
  readonly policy: Policy;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Epoch ms of the last change of count or specification. */
  readonly updatedAt: number;
}

/** An HTTP request that an instance answers with success once it can take traffic. */
export interface HttpProbe {
  readonly path: string;
  /** Where it differs from the target's own port. */
  readonly port?: number;
  /** Status that means ready; left out: 200 to 399. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An address of one running instance. */
export interface Target {
  /** Names the instance: stable while it runs, never given to another. */
  readonly id: string;
  /** IP address or DNS name; a name is looked up when dialled. */
  readonly host: string;
  readonly port: number;
  /** What the platform thinks, where it thinks. */
  readonly ready?: boolean;
  readonly probe?: HttpProbe;
}

/** One item of a watch. */
export type ResourceChange =
  | { readonly kind: "snapshot"; readonly resources: readonly Resource[] }
  | { readonly kind: "set"; readonly resource: Resource }
  | { readonly kind: "gone"; readonly ref: LocalRef };

/** One instance of a scaler: the rules are above, at the top of this file. */
export interface ResourceScaler extends AsyncDisposable {
  readonly capabilities: Capabilities;

  /** Everything this scaler manages, asleep or awake. */
  listResources(options?: CallOptions): Promise<readonly Resource[]>;

  /** One resource, or undefined where it is gone. Read from the platform now, never from a cache. */
  getResource(ref: LocalRef, options?: CallOptions): Promise<Resource | undefined>;

  /** A full snapshot first, then changes, until the signal aborts. When it ends or throws, the host lists again with backoff. */
  watchResources?(options?: CallOptions): AsyncIterable<ResourceChange>;

  /** Asks the platform for this many replicas; see "Scaling" above. Rejects with `SCALER_NOT_FOUND`, `SCALER_CONFLICT` or the platform's reason. */
  setScale(ref: LocalRef, replicas: number, options?: SetScaleOptions): Promise<{ readonly version: string }>;

  /** Candidates for one port (left out: the resource's first); see "Targets" above. Rejects with `SCALER_NOT_FOUND` where the resource is gone. */
  resolveTargets(ref: LocalRef, port: string | undefined, options?: CallOptions): Promise<readonly Target[]>;

  /** Who receives the resource's own traffic; see "Routing" above. Idempotent. */
  routeTraffic?(ref: LocalRef, to: RouteDirection, options: RouteTrafficOptions): Promise<void>;

  /**
   * Hands everything back to the platform, before Dormouse is removed from it: each resource awake, its traffic its own,
   * and nothing of this scaler left behind. From the call on no instance anywhere manages anything. May take minutes;
   * rejects with what could not be handed back. Left out: there is never anything to hand back.
   */
  release?(options?: CallOptions): Promise<void>;
}

/** What a host gives each plugin instance. */
export interface PluginContext {
  /** The instance's id, unique among those of its kind in one host. */
  readonly id: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** What a host gives a scaler. */
export interface ScalerContext extends PluginContext {
  /** Policy of a resource that says nothing itself. */
  readonly defaults: Policy;
}

/** A scaler plugin as its package exports it. */
export interface ScalerPlugin<Options = unknown, Scaler extends ResourceScaler = ResourceScaler> {
  readonly contract: number;
  readonly kind: "scaler";
  /** Short, kebab-case: `k8s-deployment`. */
  readonly name: string;
  /** Any Standard Schema; unknown keys should be errors. */
  readonly options: StandardSchemaV1<unknown, Options>;
  /** Opens an instance. Rejects with a ScalerError that says what is wrong and how to mend it. */
  create(options: Options, context: ScalerContext): Promise<Scaler>;
  /**
   * Takes new options or defaults into a running instance without disturbing what runs. All or nothing: on rejection the
   * old options stay. A resource that the new options no longer have leaves `listResources`, but stays in reach of
   * `setScale` until its instances ended. Left out: the host opens a new instance and disposes the old one.
   */
  reconfigure?(scaler: Scaler, options: Options, context: ScalerContext): Promise<void>;
}
