import type { Clock, Milliseconds } from "../clock.ts";
import type { PartialPolicy, Policy } from "../policy.ts";
import { defaultPolicy } from "../policy.ts";
import { formatRef, type LocalRef } from "../resource-ref.ts";
import type {
  CallOptions,
  Capabilities,
  Resource,
  ResourceChange,
  ResourceFailure,
  ResourceScaler,
  RouteTrafficOptions,
  SetScaleOptions,
  Target,
} from "../resource-scaler.ts";
import { ScalerError } from "../scaler-error.ts";
import { ChangeFeed } from "./change-feed.ts";
import { type MemoryPlatform, MemoryResource, type MemoryResourceOptions } from "./memory-resource.ts";

/** The calls of a scaler, by name. */
export type ScalerCallName =
  | "listResources"
  | "getResource"
  | "watchResources"
  | "setScale"
  | "resolveTargets"
  | "routeTraffic";

/** A call that a `MemoryScaler` got, with what it was asked. */
export interface RecordedCall {
  readonly call: ScalerCallName;
  readonly ref?: LocalRef;
  readonly replicas?: number;
  readonly ifVersion?: string;
  readonly port?: string;
  readonly to?: "dlx" | "resource";
  readonly version?: string;
}

/** What a `MemoryScaler` is made of; all but the clock may be left out. */
export interface MemoryScalerOptions {
  readonly clock: Clock;
  readonly resources?: readonly MemoryResourceOptions[] | undefined;
  /** Policy of a resource that says nothing itself; left out: Dormouse's own, enabled. */
  readonly defaults?: Policy | undefined;
  /** Over: many replicas, watch, no routing, compare-and-set, settled at once. */
  readonly capabilities?: Partial<Capabilities> | undefined;
  /** With routing: whether resources say where their traffic goes; left out: they do. */
  readonly tellsRoutes?: boolean | undefined;
  /** From the accepted wish to ready; left out: at once. */
  readonly startMs?: Milliseconds | undefined;
  /** From the accepted wish to gone; left out: at once. */
  readonly stopMs?: Milliseconds | undefined;
  /** Address of an instance's port; left out: 127.0.0.1 and the port's own number. */
  readonly addressOf?: MemoryPlatform["addressOf"] | undefined;
}

/** Calls that are kept for a test to look at. */
const mostCalls = 10_000;

/**
 * A scaler whose platform is memory, faithful to the contract, for tests. `beforeCall` runs before a call has its
 * effect and `afterCall` after it: wait in one to hold a call there, throw in the first to refuse it and in the second
 * to lose its answer.
 */
export class MemoryScaler implements ResourceScaler {
  readonly capabilities: Capabilities;
  /** Every call so far, oldest first; the last 10,000. */
  readonly calls: RecordedCall[] = [];
  beforeCall: ((call: RecordedCall, signal: AbortSignal | undefined) => Promise<void> | void) | undefined;
  afterCall: ((call: RecordedCall, signal: AbortSignal | undefined) => Promise<void> | void) | undefined;
  readonly watchResources?: (options?: CallOptions) => AsyncIterable<ResourceChange>;
  readonly routeTraffic?: (ref: LocalRef, to: "dlx" | "resource", options: RouteTrafficOptions) => Promise<void>;
  readonly #platform: MemoryPlatform;
  readonly #resources = new Map<string, MemoryResource>();
  readonly #failures = new Map<ScalerCallName, ScalerError>();
  readonly #feeds = new Set<ChangeFeed>();
  #lastVersion = 0;
  #disposed = false;

  constructor(options: MemoryScalerOptions) {
    this.capabilities = {
      replicas: "many",
      watch: true,
      routing: false,
      compareAndSet: true,
      settleWithinMs: 0,
      ...options.capabilities,
    };
    this.#platform = {
      clock: options.clock,
      startMs: options.startMs ?? 0,
      stopMs: options.stopMs ?? 0,
      addressOf: options.addressOf ?? ((_ref, _instance, port) => ({ host: "127.0.0.1", port: port.number })),
      defaults: options.defaults ?? { ...defaultPolicy, enabled: true },
      tellsRoutes: this.capabilities.routing && options.tellsRoutes !== false,
      nextVersion: () => ++this.#lastVersion,
    };
    if (this.capabilities.watch) this.watchResources = (asked) => this.#watch(asked?.signal);
    if (this.capabilities.routing) this.routeTraffic = (ref, to, asked) => this.#route(ref, to, asked);
    for (const resource of options.resources ?? []) this.add(resource);
  }

  async listResources(options?: CallOptions): Promise<readonly Resource[]> {
    return this.#call({ call: "listResources" }, options?.signal, () => this.#readAll());
  }

  async getResource(ref: LocalRef, options?: CallOptions): Promise<Resource | undefined> {
    return this.#call({ call: "getResource", ref }, options?.signal, () => this.#resources.get(keyOf(ref))?.read());
  }

  async setScale(
    ref: LocalRef,
    replicas: number,
    options: SetScaleOptions = {},
  ): Promise<{ readonly version: string }> {
    const { ifVersion, signal } = options;
    return this.#call(
      { call: "setScale", ref, replicas, ...(ifVersion !== undefined && { ifVersion }) },
      signal,
      () => {
        const resource = this.resource(ref);
        if (ifVersion !== undefined && !this.capabilities.compareAndSet)
          throw new ScalerError("SCALER_UNSUPPORTED", "compare-and-set is off");
        if (ifVersion !== undefined && ifVersion !== resource.version) {
          throw new ScalerError("SCALER_CONFLICT", `${keyOf(ref)} is at ${resource.version}, not at ${ifVersion}`);
        }
        resource.scale(replicas);
        return { version: resource.version };
      },
    );
  }

  async resolveTargets(ref: LocalRef, port: string | undefined, options?: CallOptions): Promise<readonly Target[]> {
    const call: RecordedCall = { call: "resolveTargets", ref, ...(port !== undefined && { port }) };
    return this.#call(call, options?.signal, () => this.resource(ref).targets(port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.endWatches();
    for (const resource of this.#resources.values()) resource.close();
  }

  /** The resource's platform side. @throws ScalerError `SCALER_NOT_FOUND` */
  resource(ref: LocalRef): MemoryResource {
    const found = this.#resources.get(keyOf(ref));
    if (found === undefined) throw new ScalerError("SCALER_NOT_FOUND", `there is no ${keyOf(ref)}`);
    return found;
  }

  add(options: MemoryResourceOptions): MemoryResource {
    const resource: MemoryResource = new MemoryResource(options, this.#platform, () => this.#announce(resource));
    this.#resources.set(keyOf(resource.ref), resource);
    this.#announce(resource);
    return resource;
  }

  remove(ref: LocalRef): void {
    const resource = this.resource(ref);
    resource.close();
    this.#resources.delete(keyOf(ref));
    for (const feed of this.#feeds) feed.push({ kind: "gone", ref: resource.ref });
  }

  /** Somebody else scales the resource. */
  scaleByHand(ref: LocalRef, replicas: number): void {
    this.resource(ref).scale(replicas);
  }

  /** Somebody else sends the resource's traffic elsewhere, past every version. */
  routeByHand(ref: LocalRef, to: "dlx" | "resource"): void {
    this.resource(ref).routeByHand(to);
  }

  /** Somebody else changes the resource's policy. */
  changePolicy(ref: LocalRef, policy: PartialPolicy): void {
    this.resource(ref).setPolicy(policy);
  }

  /** The platform says that the resource cannot start; undefined: it can again. */
  setFailure(ref: LocalRef, failure: ResourceFailure | undefined): void {
    this.resource(ref).setFailure(failure);
  }

  /** What is written about the resource is wrong: its policy is not enabled; undefined: it is right again. */
  refuse(ref: LocalRef, refusal: ResourceFailure | undefined): void {
    this.resource(ref).setRefusal(refusal);
  }

  /** From here on: how long instances take to become ready, in ms. */
  setStartMs(ms: Milliseconds): void {
    this.#platform.startMs = ms;
  }

  /** Lets every such call fail before it has an effect; undefined: it works again. */
  fail(call: ScalerCallName, error: ScalerError | undefined): void {
    if (error === undefined) this.#failures.delete(call);
    else this.#failures.set(call, error);
  }

  /** Ends every watch that runs, with an error where one is given. */
  endWatches(error?: Error): void {
    for (const feed of this.#feeds) feed.end(error);
  }

  async #call<Result>(call: RecordedCall, signal: AbortSignal | undefined, work: () => Result): Promise<Result> {
    await this.#admit(call, signal);
    const result = work();
    await this.afterCall?.(call, signal);
    return result;
  }

  async #admit(call: RecordedCall, signal: AbortSignal | undefined): Promise<void> {
    if (this.#disposed) throw new ScalerError("SCALER_DISPOSED", "the scaler is closed");
    this.calls.push(call);
    if (this.calls.length > mostCalls) this.calls.shift();
    await this.beforeCall?.(call, signal);
    if (signal?.aborted === true)
      throw new ScalerError("SCALER_ABORTED", `${call.call} was given up`, { cause: signal.reason });
    const failure = this.#failures.get(call.call);
    if (failure !== undefined) throw failure;
  }

  async *#watch(signal: AbortSignal | undefined): AsyncGenerator<ResourceChange, void, undefined> {
    if (signal?.aborted === true) return;
    await this.#admit({ call: "watchResources" }, signal);
    const feed = new ChangeFeed();
    const end = (): void => feed.end();
    this.#feeds.add(feed);
    signal?.addEventListener("abort", end, { once: true });
    try {
      yield { kind: "snapshot", resources: this.#readAll() };
      yield* feed.read();
    } finally {
      this.#feeds.delete(feed);
      signal?.removeEventListener("abort", end);
    }
  }

  async #route(ref: LocalRef, to: "dlx" | "resource", { version, signal }: RouteTrafficOptions): Promise<void> {
    return this.#call({ call: "routeTraffic", ref, to, version }, signal, () => {
      if (!this.resource(ref).routeTo(to, version))
        throw new ScalerError("SCALER_CONFLICT", `a newer call has routed ${keyOf(ref)}`);
    });
  }

  #readAll(): readonly Resource[] {
    return [...this.#resources.values()].map((resource) => resource.read());
  }

  #announce(resource: MemoryResource): void {
    for (const feed of this.#feeds) feed.push({ kind: "set", resource: resource.read() });
  }
}

function keyOf({ namespace, name }: LocalRef): string {
  return formatRef({ scaler: "memory", namespace, name });
}
