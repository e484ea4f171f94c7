import {
  type Capabilities,
  type Clock,
  type LocalRef,
  type Policy,
  type Resource,
  type ResourceFailure,
  ScalerError,
  type Target,
} from "@dormouse/core";

/** Between asking and answering. */
export const latencyMs = 1;
/** From the acceptance of a start to an instance that is ready. */
const startMs = 20;
/** From the acceptance of a stop to an instance that is gone. It looks ready all the while. */
export const stopMs = 40;
/** No call is accepted later than this after it has ended. Starts and stops take longer, which the kit must see by itself. */
export const settleWithinMs = 10;

/** The port `admin` of an instance lies so far above its port `web`. */
export const adminOffset = 10_000;

export interface MemoryInstance {
  readonly id: string;
  readonly port: number;
  phase: "starting" | "ready" | "stopping";
}

export interface MemoryRecord {
  readonly ref: LocalRef;
  count: number;
  wakeReplicas: number;
  epoch: number;
  instances: MemoryInstance[];
  failure: ResourceFailure | undefined;
  route: "dlx" | "resource";
  routeEpoch: number;
  readonly createdAt: number;
  updatedAt: number;
  policy: Policy;
  isHeld: boolean;
  isBroken: boolean;
}

/** A platform in memory, with the delays of a real one: it accepts at once, and starts and stops later. */
export class MemoryPlatform {
  readonly clock: Clock;
  readonly capabilities: Capabilities;
  readonly records = new Map<string, MemoryRecord>();
  readonly listeners = new Set<(key: string) => void>();
  isStalled = false;
  isCut = false;
  #instances = 0;

  constructor(clock: Clock, capabilities: Capabilities) {
    this.clock = clock;
    this.capabilities = capabilities;
  }

  add(ref: LocalRef, policy: Policy): void {
    const now = this.clock.now();
    this.records.set(keyOf(ref), {
      ref,
      count: 0,
      wakeReplicas: 1,
      epoch: 1,
      instances: [],
      failure: undefined,
      route: "resource",
      routeEpoch: 0,
      createdAt: now,
      updatedAt: now,
      policy,
      isHeld: false,
      isBroken: false,
    });
  }

  /** One way to the platform or back. Rejects as a network client does. */
  async travel(signal: AbortSignal | undefined): Promise<void> {
    if (this.isStalled) await never(signal);
    if (this.isCut) throw new ScalerError("SCALER_UNAVAILABLE", "connection refused");
    await this.clock.sleep(latencyMs, signal);
  }

  find(ref: LocalRef): MemoryRecord {
    const record = this.records.get(keyOf(ref));
    if (record === undefined) throw new ScalerError("SCALER_NOT_FOUND", `there is no ${keyOf(ref)}`);
    return record;
  }

  /** Accepts a count, in one step. @returns the version */
  write(record: MemoryRecord, count: number): string {
    record.epoch += 1;
    record.count = count;
    if (count >= 1) record.wakeReplicas = count;
    record.updatedAt = this.clock.now();
    this.reconcile(record);
    this.changed(record);
    return this.versionOf(record);
  }

  versionOf({ epoch }: MemoryRecord): string {
    return String(epoch);
  }

  /** Somebody else changes the specification. */
  touch(record: MemoryRecord): void {
    record.epoch += 1;
    record.updatedAt = this.clock.now();
    this.changed(record);
  }

  /** Starts what is missing and stops what is too many. */
  reconcile(record: MemoryRecord): void {
    record.failure = undefined;
    const staying = record.instances.filter(({ phase }) => phase !== "stopping");
    for (const instance of staying.slice(record.count)) this.stop(record, instance);
    for (let missing = record.count - staying.length; missing > 0; missing -= 1) this.start(record);
  }

  start(record: MemoryRecord): void {
    this.#instances += 1;
    const instance: MemoryInstance = {
      id: `i-${String(this.#instances)}`,
      port: 10_000 + this.#instances,
      phase: "starting",
    };
    record.instances.push(instance);
    this.clock.setTimer(startMs, () => this.finishStart(record, instance));
  }

  finishStart(record: MemoryRecord, instance: MemoryInstance): void {
    if (instance.phase !== "starting" || !record.instances.includes(instance)) return;
    if (record.isHeld) return void this.clock.setTimer(startMs, () => this.finishStart(record, instance));
    if (record.isBroken) {
      record.failure = { code: "SCALER_START_FAILED", message: "exit code 1" };
      this.drop(record, instance);
    } else {
      instance.phase = "ready";
      this.changed(record);
    }
  }

  stop(record: MemoryRecord, instance: MemoryInstance): void {
    const wasReady = instance.phase === "ready";
    instance.phase = "stopping";
    if (wasReady) this.clock.setTimer(stopMs, () => this.drop(record, instance));
    else this.drop(record, instance);
  }

  /** An instance ends by itself; the platform starts another one. */
  crash(id: string): void {
    for (const record of this.records.values()) {
      const instance = record.instances.find((each) => each.id === id);
      if (instance === undefined) continue;
      this.drop(record, instance);
      this.reconcile(record);
    }
  }

  drop(record: MemoryRecord, instance: MemoryInstance): void {
    record.instances = record.instances.filter((each) => each !== instance);
    this.changed(record);
  }

  changed(record: MemoryRecord): void {
    for (const listener of this.listeners) listener(keyOf(record.ref));
  }

  /** What runs and accepts connections: those whose stop was accepted too, until they are gone. */
  accepts({ port }: Target): boolean {
    const all = [...this.records.values()].flatMap(({ instances }) => instances);
    const isOpen = (own: number): boolean => own === port || own + adminOffset === port;
    return all.some((instance) => isOpen(instance.port) && instance.phase !== "starting");
  }

  toResource(record: MemoryRecord): Resource {
    const { ref, count, wakeReplicas, instances, failure, policy, createdAt, updatedAt } = record;
    return {
      ref: { ...ref },
      desired: count,
      ready: instances.filter(({ phase }) => phase !== "starting").length,
      wakeReplicas,
      version: this.versionOf(record),
      ...(failure !== undefined && { failure }),
      ...(this.capabilities.routing && { routedTo: record.route }),
      ports: [
        { name: "web", number: 8080, protocol: "http" },
        { name: "admin", number: 9090, protocol: "tcp" },
      ],
      policy,
      createdAt,
      updatedAt,
    };
  }
}

export function keyOf({ namespace, name }: LocalRef): string {
  return `${namespace}/${name}`;
}

function never(signal: AbortSignal | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal?.throwIfAborted();
  signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}
