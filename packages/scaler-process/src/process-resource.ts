import { isDeepStrictEqual } from "node:util";
import {
  type Clock,
  type LocalRef,
  type Policy,
  type Resource,
  type ResourceFailure,
  type ResourcePort,
  ScalerError,
  type Target,
} from "@dormouse/core";
import type { InstanceEvents } from "./child-instance.ts";
import { toNotFoundError } from "./process-error.ts";
import { mostReplicas, type ResourceSpec } from "./process-options.ts";
import { type Instance, Replica } from "./replica.ts";

/** Name of the one port that a process has. */
export const portName = "http";

/** A specification, the policy that was read from it, and the port of its first replica: the fixed or a reserved one. */
export interface Configured {
  readonly spec: ResourceSpec;
  readonly policy: Policy;
  readonly port: number;
}

export interface ResourceOptions {
  readonly clock: Clock;
  /** A version that was never given before. */
  nextVersion(): string;
  /** @param port the one to try, where there is one */
  launch(spec: ResourceSpec, port: number | undefined, label: string, events: InstanceEvents): Promise<Instance>;
  onChange(resource: ProcessResource): void;
}

/** One configured process and its replicas. All changes are made in one synchronous step. */
export class ProcessResource {
  readonly ref: LocalRef;
  readonly #options: ResourceOptions;
  readonly #replicas: Replica[] = [];
  readonly #createdAt: number;
  #spec: ResourceSpec;
  #policy: Policy;
  #port: number;
  #isRemoved = false;
  #desired = 0;
  #wakeReplicas: number;
  #version: string;
  #updatedAt: number;

  constructor({ spec, policy, port }: Configured, options: ResourceOptions) {
    this.ref = { namespace: spec.namespace, name: spec.name };
    this.#options = options;
    this.#spec = spec;
    this.#policy = policy;
    this.#port = port;
    this.#wakeReplicas = spec.replicas;
    this.#version = options.nextVersion();
    this.#createdAt = options.clock.now();
    this.#updatedAt = this.#createdAt;
  }

  get version(): string {
    return this.#version;
  }

  /** No longer configured; it goes on until it is scaled to zero. */
  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  /** No longer configured, and nothing of it runs. */
  get isGone(): boolean {
    return this.#isRemoved && this.#desired === 0 && this.#replicas.every(({ isOver }) => isOver);
  }

  /** What the contract says of it. */
  toResource(): Resource {
    const failure = this.#failure();
    return {
      ref: this.ref,
      desired: this.#desired,
      ready: this.#ready(),
      wakeReplicas: this.#wakeReplicas,
      version: this.#version,
      ...(failure !== undefined && { failure }),
      ports: this.#ports(),
      policy: this.#policy,
      createdAt: this.#createdAt,
      updatedAt: this.#updatedAt,
    };
  }

  /** Running instances that nobody has asked to stop. */
  targets(): readonly Target[] {
    return this.#wanted().flatMap(({ instance }) => {
      if (instance === undefined) return [];
      const { id, host, port, isReady: ready } = instance;
      return [{ id, host, port, ready }];
    });
  }

  /** Starts and stops replicas. A count of one or more is what the next wake asks for. */
  setScale(replicas: number): string {
    if (this.#isRemoved && this.#desired === 0 && replicas > 0) throw toNotFoundError(this.ref);
    this.#refuseTooMany(replicas);
    if (replicas !== this.#desired) this.#updatedAt = this.#options.clock.now();
    if (replicas > 0) this.#wakeReplicas = replicas;
    this.#desired = replicas;
    this.#version = this.#options.nextVersion();
    this.#applyScale();
    this.#options.onChange(this);
    return this.#version;
  }

  /** Takes another configuration; a changed specification counts from the next start of a process. */
  configure({ spec, policy, port }: Configured): void {
    const isChanged = this.#isRemoved || !isSameSpec(spec, this.#spec);
    if (!isChanged && port === this.#port && isDeepStrictEqual(policy, this.#policy)) return;
    if (isChanged) this.#takeSpec(spec);
    this.#isRemoved = false;
    this.#policy = policy;
    this.#port = port;
    this.#options.onChange(this);
  }

  /** Is no longer configured. */
  remove(): void {
    this.#isRemoved = true;
    this.#version = this.#options.nextVersion();
  }

  /** Stops everything at once and resolves when nothing of it runs. Never rejects. */
  async end(): Promise<void> {
    for (const replica of this.#replicas) replica.stop();
    await Promise.all(this.#replicas.map((replica) => replica.ended()));
  }

  #takeSpec(spec: ResourceSpec): void {
    if (spec.replicas !== this.#spec.replicas || spec.port !== undefined) this.#wakeReplicas = spec.replicas;
    this.#spec = spec;
    this.#version = this.#options.nextVersion();
    this.#updatedAt = this.#options.clock.now();
  }

  /** A count that already is stays allowed, or a changed specification would keep the resource from its sleep. */
  #refuseTooMany(replicas: number): void {
    if (replicas <= this.#desired || replicas <= 1) return;
    if (this.#spec.port !== undefined) {
      const message = `${this.ref.name} has the fixed port ${this.#spec.port}, which replicas cannot share: leave port out`;
      throw new ScalerError("SCALER_UNSUPPORTED", message);
    }
    if (replicas > mostReplicas) {
      throw new ScalerError(
        "SCALER_BAD_ARGUMENT",
        `${replicas} replicas of ${this.ref.name} are more than ${mostReplicas}`,
      );
    }
  }

  #applyScale(): void {
    while (this.#replicas.length < this.#desired) this.#replicas.push(this.#addReplica(this.#replicas.length + 1));
    for (const [index, replica] of this.#replicas.entries()) {
      if (index < this.#desired) replica.start();
      else replica.stop();
    }
  }

  /** @param number counts from 1 */
  #addReplica(number: number): Replica {
    return new Replica({
      clock: this.#options.clock,
      open: (events) => this.#launch(number, events),
      command: () => this.#spec.command[0] ?? "",
      hasFixedPort: () => this.#spec.port !== undefined,
      onChange: () => this.#options.onChange(this),
    });
  }

  #launch(number: number, events: InstanceEvents): Promise<Instance> {
    const isAlone = this.#desired === 1 && number === 1;
    const label = isAlone ? this.ref.name : `${this.ref.name}.${number}`;
    return this.#options.launch(this.#spec, number === 1 ? this.#port : undefined, label, events);
  }

  #wanted(): readonly Replica[] {
    return this.#replicas.slice(0, this.#desired);
  }

  /** While it goes to sleep, those that still run: asleep means that the processes are gone. */
  #ready(): number {
    if (this.#desired === 0) return this.#replicas.reduce((sum, replica) => sum + replica.leavingReady, 0);
    return this.#wanted().filter(({ instance }) => instance?.isReady === true).length;
  }

  /** That of the first instance, else the one that it will have if nobody takes it before. */
  #ports(): readonly ResourcePort[] {
    return [{ name: portName, number: this.targets()[0]?.port ?? this.#port, protocol: "http" }];
  }

  /** It cannot start if no replica can. */
  #failure(): ResourceFailure | undefined {
    const failures = this.#wanted().map(({ failure }) => failure);
    return failures.includes(undefined) ? undefined : failures[0];
  }
}

/** Whether the processes would be the same; the policy is no part of them. */
function isSameSpec(one: ResourceSpec, other: ResourceSpec): boolean {
  const { policy: _one, ...first } = one;
  const { policy: _other, ...second } = other;
  return isDeepStrictEqual(first, second);
}
