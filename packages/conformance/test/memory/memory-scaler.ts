import {
  type CallOptions,
  type Capabilities,
  type LocalRef,
  type Resource,
  type ResourceChange,
  type ResourceScaler,
  type RouteTrafficOptions,
  ScalerError,
  type SetScaleOptions,
  type Target,
} from "@dormouse/core";
import { adminOffset, type MemoryInstance, type MemoryPlatform, type MemoryRecord } from "./memory-platform.ts";

/** A scaler that keeps every rule, whatever it declares. */
export class MemoryScaler implements ResourceScaler {
  readonly capabilities: Capabilities;
  readonly platform: MemoryPlatform;
  /** Aborts with the scaler. */
  readonly disposed = new AbortController();
  /** Printed refs that `reconfigure` has taken out, and that are kept in reach while they run. */
  readonly dropped = new Set<string>();

  constructor(platform: MemoryPlatform) {
    this.platform = platform;
    this.capabilities = platform.capabilities;
  }

  signalOf(options: CallOptions | undefined): AbortSignal {
    return options?.signal === undefined
      ? this.disposed.signal
      : AbortSignal.any([options.signal, this.disposed.signal]);
  }

  async travel(options: CallOptions | undefined): Promise<void> {
    options?.signal?.throwIfAborted();
    await this.platform.travel(this.signalOf(options));
  }

  async listResources(options?: CallOptions): Promise<readonly Resource[]> {
    await this.travel(options);
    return this.listed().map((record) => this.platform.toResource(record));
  }

  listed(): MemoryRecord[] {
    return [...this.platform.records].filter(([key]) => !this.dropped.has(key)).map(([, record]) => record);
  }

  async getResource(ref: LocalRef, options?: CallOptions): Promise<Resource | undefined> {
    await this.travel(options);
    const record = this.platform.records.get(`${ref.namespace}/${ref.name}`);
    return record && this.platform.toResource(record);
  }

  async setScale(
    ref: LocalRef,
    replicas: number,
    options: SetScaleOptions = {},
  ): Promise<{ readonly version: string }> {
    await this.travel(options);
    const record = this.platform.find(ref);
    if (options.ifVersion !== undefined) this.compare(record, options.ifVersion);
    const version = this.platform.write(record, replicas);
    await this.travel(options);
    return { version };
  }

  compare(record: MemoryRecord, ifVersion: string): void {
    const version = this.platform.versionOf(record);
    if (version !== ifVersion) throw new ScalerError("SCALER_CONFLICT", `version is ${version}, not ${ifVersion}`);
  }

  async resolveTargets(ref: LocalRef, port: string | undefined, options?: CallOptions): Promise<readonly Target[]> {
    await this.travel(options);
    const { instances } = this.platform.find(ref);
    return instances.filter(({ phase }) => phase === "ready").map((instance) => toTarget(instance, port));
  }

  async routeTraffic(ref: LocalRef, to: "dlx" | "resource", { version, signal }: RouteTrafficOptions): Promise<void> {
    await this.travel({ ...(signal && { signal }) });
    const record = this.platform.find(ref);
    if (Number(version) < record.routeEpoch)
      throw new ScalerError("SCALER_CONFLICT", `routed under ${String(record.routeEpoch)}`);
    record.routeEpoch = Number(version);
    while (to === "resource" && !record.instances.some(({ phase }) => phase === "ready")) {
      await this.platform.clock.sleep(5, this.signalOf(signal && { signal }));
      if (record.routeEpoch !== Number(version)) throw new ScalerError("SCALER_CONFLICT", "routed by somebody newer");
    }
    record.route = to;
    this.platform.changed(record);
  }

  async *watchResources(options?: CallOptions): AsyncGenerator<ResourceChange, void, undefined> {
    const signal = this.signalOf(options);
    const changed = new Set<string>();
    let wake = (): void => {};
    const listen = (key: string): void => {
      changed.add(key);
      wake();
    };
    this.platform.listeners.add(listen);
    const onAbort = (): void => wake();
    signal.addEventListener("abort", onAbort);
    try {
      yield { kind: "snapshot", resources: await this.listResources({ signal }) };
      while (!signal.aborted) {
        const [key] = changed;
        if (key === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        changed.delete(key);
        yield this.changeOf(key);
      }
    } finally {
      this.platform.listeners.delete(listen);
      signal.removeEventListener("abort", onAbort);
    }
  }

  changeOf(key: string): ResourceChange {
    const record = this.platform.records.get(key);
    if (record !== undefined) return { kind: "set", resource: this.platform.toResource(record) };
    const [namespace = "", name = ""] = key.split("/");
    return { kind: "gone", ref: { namespace, name } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed.abort(new ScalerError("SCALER_DISPOSED", "the scaler has been closed"));
  }
}

export function toTarget({ id, port: number }: MemoryInstance, port: string | undefined): Target {
  return { id, host: "127.0.0.1", port: port === "admin" ? number + adminOffset : number };
}
