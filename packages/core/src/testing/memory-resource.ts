import { ScalerError } from "../scaler-error.ts";
import type { Clock, Milliseconds, Timer } from "../clock.ts";
import { mergePolicy } from "../parse-policy.ts";
import type { PartialPolicy, Policy } from "../policy.ts";
import { defaultNamespace, type LocalRef } from "../resource-ref.ts";
import type { HttpProbe, Resource, ResourceFailure, ResourcePort, Target } from "../resource-scaler.ts";

/** A resource of a `MemoryScaler` as a test describes it. */
export interface MemoryResourceOptions {
  readonly name: string;
  /** Left out: `default`. */
  readonly namespace?: string | undefined;
  /** Replicas at the start; left out: 0. */
  readonly desired?: number | undefined;
  /** Left out: 1, or `desired` where that is more. */
  readonly wakeReplicas?: number | undefined;
  /** Over the scaler's defaults. */
  readonly policy?: PartialPolicy | undefined;
  /** Left out: one HTTP port named `http`. */
  readonly ports?: readonly ResourcePort[] | undefined;
  /** Given with each target. */
  readonly probe?: HttpProbe | undefined;
}

/** How the instances of a `MemoryScaler` live. */
export interface MemoryPlatform {
  readonly clock: Clock;
  /** From the accepted wish to ready; 0: at once. Changes take effect with the next start. */
  startMs: Milliseconds;
  /** From the accepted wish to gone; 0: at once. */
  stopMs: Milliseconds;
  /** Address of an instance's port. */
  readonly addressOf: (
    ref: LocalRef,
    instance: number,
    port: ResourcePort,
  ) => { readonly host: string; readonly port: number };
  readonly defaults: Policy;
  /** Resources say where their traffic goes. */
  readonly tellsRoutes: boolean;
  /** Rises by one with each call, over all resources: one that is made again never repeats a version. */
  readonly nextVersion: () => number;
}

interface Instance {
  readonly number: number;
  state: "starting" | "ready" | "stopping";
  timer: Timer | undefined;
}

/** One resource in memory: its wanted shape with a version, and instances that follow it. Calls back after each change. */
export class MemoryResource {
  readonly ref: LocalRef;
  readonly #platform: MemoryPlatform;
  readonly #options: MemoryResourceOptions;
  readonly #changed: () => void;
  readonly #createdAt: number;
  readonly #instances = new Set<Instance>();
  #policy: PartialPolicy;
  #desired: number;
  #wakeReplicas: number;
  #version: number;
  #updatedAt: number;
  #failure: ResourceFailure | undefined;
  #refusal: ResourceFailure | undefined;
  #lastInstance = 0;
  #route: { readonly to: "dlx" | "resource"; readonly version: number } = { to: "resource", version: 0 };

  constructor(options: MemoryResourceOptions, platform: MemoryPlatform, changed: () => void) {
    this.ref = { namespace: options.namespace ?? defaultNamespace, name: options.name };
    this.#options = options;
    this.#platform = platform;
    this.#policy = options.policy ?? {};
    this.#version = platform.nextVersion();
    this.#createdAt = platform.clock.now();
    this.#updatedAt = this.#createdAt;
    this.#desired = options.desired ?? 0;
    this.#wakeReplicas = options.wakeReplicas ?? Math.max(1, this.#desired);
    this.#follow(0);
    this.#changed = changed;
  }

  get version(): string {
    return `v${this.#version}`;
  }

  get routedTo(): "dlx" | "resource" {
    return this.#route.to;
  }

  get instances(): readonly { readonly id: string; readonly state: Instance["state"] }[] {
    return [...this.#instances].map((instance) => ({ id: this.#idOf(instance), state: instance.state }));
  }

  /** An accepted `setScale`, or the same by anybody else: the version moves even where the count stays. */
  scale(replicas: number): void {
    this.#desired = replicas;
    if (replicas >= 1) this.#wakeReplicas = replicas;
    this.#moveVersion();
    this.#follow(this.#platform.startMs);
    this.#changed();
  }

  /** Somebody else changes the policy: a change of specification. */
  setPolicy(policy: PartialPolicy): void {
    this.#policy = policy;
    this.#moveVersion();
    this.#changed();
  }

  /** The platform says that it cannot start, or can again. Mere status: the version stays. */
  setFailure(failure: ResourceFailure | undefined): void {
    this.#failure = failure;
    if (failure === undefined) this.#follow(this.#platform.startMs);
    else for (const instance of this.#instances) if (instance.state === "starting") this.#drop(instance);
    this.#changed();
  }

  /** What is written about it is wrong, or right again. Mere status: the version stays. */
  setRefusal(refusal: ResourceFailure | undefined): void {
    this.#refusal = refusal;
    this.#changed();
  }

  /** All instances end by themselves; the platform starts new ones. */
  crash(): void {
    for (const instance of this.#instances) this.#drop(instance);
    this.#follow(this.#platform.startMs);
    this.#changed();
  }

  /** Whether the route was taken; not where a newer version's was. */
  routeTo(to: "dlx" | "resource", version: string): boolean {
    const number = Number(version.slice(1));
    if (!(number >= this.#route.version)) return false;
    this.#route = { to, version: number };
    this.#changed();
    return true;
  }

  /** Somebody else sends its traffic elsewhere; the version stays. */
  routeByHand(to: "dlx" | "resource"): void {
    this.#route = { ...this.#route, to };
    this.#changed();
  }

  read(): Resource {
    return {
      ref: this.ref,
      desired: this.#desired,
      ready: this.#inState("ready").length,
      wakeReplicas: this.#wakeReplicas,
      version: this.version,
      ...(this.#failure !== undefined && { failure: this.#failure }),
      ...(this.#refusal !== undefined && { refusal: this.#refusal }),
      ...(this.#platform.tellsRoutes && { routedTo: this.#route.to }),
      ports: this.#ports,
      policy: this.#mergedPolicy,
      createdAt: this.#createdAt,
      updatedAt: this.#updatedAt,
    };
  }

  targets(portName: string | undefined): readonly Target[] {
    const port = portName === undefined ? this.#ports[0] : this.#ports.find((each) => each.name === portName);
    if (port === undefined && portName !== undefined) {
      throw new ScalerError("SCALER_BAD_ARGUMENT", `${this.ref.name} has no port ${portName}`);
    }
    if (port === undefined) return [];
    const { probe } = this.#options;
    return [...this.#inState("starting"), ...this.#inState("ready")].map((instance) => ({
      id: this.#idOf(instance),
      ...this.#platform.addressOf(this.ref, instance.number, port),
      ready: instance.state === "ready",
      ...(probe !== undefined && { probe }),
    }));
  }

  /** Takes all timers back. */
  close(): void {
    for (const instance of this.#instances) instance.timer?.cancel();
    this.#instances.clear();
  }

  get #mergedPolicy(): Policy {
    const policy = mergePolicy(this.#policy, this.#platform.defaults);
    return this.#refusal === undefined ? policy : { ...policy, enabled: false };
  }

  get #ports(): readonly ResourcePort[] {
    return this.#options.ports ?? [{ name: "http", number: 80, protocol: "http" }];
  }

  #moveVersion(): void {
    this.#version = this.#platform.nextVersion();
    this.#updatedAt = this.#platform.clock.now();
  }

  #inState(state: Instance["state"]): Instance[] {
    return [...this.#instances].filter((instance) => instance.state === state);
  }

  /** Starts what is missing and stops what is too much, the youngest first. A doomed instance never comes back. */
  #follow(startMs: Milliseconds): void {
    const serving = [...this.#inState("ready"), ...this.#inState("starting")];
    for (const instance of serving.slice(this.#desired)) this.#stop(instance);
    if (this.#failure !== undefined) return;
    for (let missing = this.#desired - serving.length; missing > 0; missing -= 1) this.#start(startMs);
  }

  #start(startMs: Milliseconds): void {
    const instance: Instance = { number: ++this.#lastInstance, state: "starting", timer: undefined };
    this.#instances.add(instance);
    this.#after(instance, startMs, () => (instance.state = "ready"));
  }

  #stop(instance: Instance): void {
    instance.timer?.cancel();
    instance.state = "stopping";
    this.#after(instance, this.#platform.stopMs, () => this.#instances.delete(instance));
  }

  #drop(instance: Instance): void {
    instance.timer?.cancel();
    this.#instances.delete(instance);
  }

  #after(instance: Instance, ms: Milliseconds, effect: () => unknown): void {
    if (ms === 0) return void effect();
    instance.timer = this.#platform.clock.setTimer(ms, () => {
      effect();
      this.#changed();
    });
  }

  #idOf(instance: Instance): string {
    return `${this.ref.namespace}.${this.ref.name}.${instance.number}`;
  }
}
