import {
  type CallOptions,
  type Capabilities,
  ConfigError,
  type LocalRef,
  type Resource,
  type ResourceScaler,
  type ScalerContext,
  type SetScaleOptions,
  type Target,
  toScalerError,
} from "@dormouse/core";
import { HttpClient } from "@dormouse/http-json";
import { isGone, toAbortedError, toDisposedError, toNotFoundError, toPortError } from "./http-error.ts";
import type { HttpOptions } from "./http-options.ts";
import { type Configured, HttpResource, portName } from "./http-resource.ts";
import { readConfigured } from "./read-configured.ts";
import { ResourceApi } from "./resource-api.ts";
import { StatusLog } from "./status-log.ts";

type Context = Pick<ScalerContext, "clock" | "logger" | "defaults">;

/** Resources behind HTTP APIs, one or many. Everything is asked of the API; only what it cannot keep is remembered here. */
export class HttpScaler implements ResourceScaler {
  readonly capabilities: Capabilities;
  readonly #context: Context;
  readonly #log: StatusLog;
  #resources: ReadonlyMap<string, HttpResource> = new Map();
  /** Configured no more; each can be stopped until it is. */
  readonly #removed = new Map<string, HttpResource>();
  #options: HttpOptions;
  #client: HttpClient;
  #isDisposed = false;

  private constructor(options: HttpOptions, context: Context, client: HttpClient) {
    this.#options = options;
    this.#context = context;
    this.#client = client;
    this.#log = new StatusLog(context.logger);
    this.#resources = this.#configure(options, context.defaults, client);
    this.capabilities = {
      replicas: "many",
      watch: false,
      routing: false,
      compareAndSet: options.compareAndSet !== undefined,
      settleWithinMs: options.settleWithin,
    };
  }

  /** Opens a scaler; nothing is sent. Rejects with a ConfigError for a wrong policy, and with `SCALER_BAD_OPTIONS` for authorities that cannot be read. */
  static async open(options: HttpOptions, context: Context): Promise<HttpScaler> {
    const client = await HttpClient.open({ clock: context.clock, tls: options.tls });
    try {
      return new HttpScaler(options, context, client);
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** One resource whose API fails does not keep the others from being listed; where none can be read, the list fails. */
  async listResources({ signal }: CallOptions = {}): Promise<readonly Resource[]> {
    this.#begin(signal);
    const all = [...this.#resources.values()];
    const results = await Promise.allSettled(all.map((resource) => resource.read(signal)));
    this.#begin(signal);
    const failures = results.filter((result) => result.status === "rejected").map(({ reason }): unknown => reason);
    const outages = failures.filter((error) => !isGone(error));
    if (outages.length > 0 && failures.length === all.length) throw toScalerError(outages[0]);
    return results.flatMap((result, index) => this.#toListed(all[index], result));
  }

  async getResource(ref: LocalRef, { signal }: CallOptions = {}): Promise<Resource | undefined> {
    this.#begin(signal);
    const resource = this.#resources.get(keyOf(ref)) ?? this.#removed.get(keyOf(ref));
    try {
      return await resource?.read(signal);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  async setScale(
    ref: LocalRef,
    replicas: number,
    { signal, ifVersion }: SetScaleOptions = {},
  ): Promise<{ version: string }> {
    this.#begin(signal);
    const key = keyOf(ref);
    const resource = this.#resources.get(key) ?? (replicas === 0 ? this.#removed.get(key) : undefined);
    if (resource === undefined) throw toNotFoundError(ref);
    const version = await resource.setScale(replicas, ifVersion, signal);
    if (this.#removed.get(key) === resource) this.#removed.delete(key);
    return { version };
  }

  async resolveTargets(
    ref: LocalRef,
    port: string | undefined,
    { signal }: CallOptions = {},
  ): Promise<readonly Target[]> {
    this.#begin(signal);
    const resource = this.#resources.get(keyOf(ref)) ?? this.#removed.get(keyOf(ref));
    if (resource === undefined) throw toNotFoundError(ref);
    if (port !== undefined && port !== portName) throw toPortError(ref, port, portName);
    return resource.targets(signal);
  }

  /**
   * Takes other options; what is remembered of each resource stays. What `capabilities` say cannot change while the host
   * runs: rejects with a ConfigError.
   */
  async reconfigure(options: HttpOptions, context: Pick<ScalerContext, "defaults">): Promise<void> {
    this.#begin(undefined);
    assertSameCapabilities(this.#options, options);
    const client = await this.#clientFor(options);
    try {
      this.#begin(undefined);
      const before = this.#resources;
      this.#resources = this.#configure(options, context.defaults, client);
      this.#remember(before);
    } catch (error) {
      if (client !== this.#client) await client[Symbol.asyncDispose]();
      throw error;
    }
    const old = this.#client;
    this.#options = options;
    this.#client = client;
    if (old !== client) await old[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await this.#client[Symbol.asyncDispose]();
  }

  #begin(signal: AbortSignal | undefined): void {
    if (this.#isDisposed) throw toDisposedError();
    if (signal?.aborted === true) throw toAbortedError(signal);
  }

  #toListed(resource: HttpResource | undefined, result: PromiseSettledResult<Resource>): readonly Resource[] {
    if (resource === undefined) return [];
    if (result.status === "fulfilled") {
      this.#log.read(resource.ref);
      return [result.value];
    }
    this.#log.failed(resource.ref, result.reason);
    return isGone(result.reason) ? [] : [resource.whileUnknown(result.reason)];
  }

  /** All or nothing: what may fail comes first. */
  #configure(
    options: HttpOptions,
    defaults: ScalerContext["defaults"],
    client: HttpClient,
  ): ReadonlyMap<string, HttpResource> {
    const read = readConfigured(options, defaults);
    const resources = new Map<string, HttpResource>();
    for (const { ref, api, policy, replicas } of read) {
      const configured: Configured = {
        ref,
        policy,
        replicas,
        api: new ResourceApi(client, ref, api, options.compareAndSet),
      };
      const known = this.#resources.get(keyOf(ref)) ?? this.#removed.get(keyOf(ref));
      known?.configure(configured);
      resources.set(keyOf(ref), known ?? new HttpResource(configured, this.#context.clock));
    }
    return resources;
  }

  #remember(before: ReadonlyMap<string, HttpResource>): void {
    for (const key of this.#resources.keys()) this.#removed.delete(key);
    for (const [key, resource] of before)
      if (!this.#resources.has(key) && resource.lastCount !== 0) this.#removed.set(key, resource);
  }

  async #clientFor({ tls }: HttpOptions): Promise<HttpClient> {
    if (JSON.stringify(tls) === JSON.stringify(this.#options.tls)) return this.#client;
    return HttpClient.open({ clock: this.#context.clock, tls });
  }
}

function keyOf({ namespace, name }: LocalRef): string {
  return `${namespace}/${name}`;
}

function assertSameCapabilities(before: HttpOptions, after: HttpOptions): void {
  const mend = "restart the host, or give the scaler another id";
  const problem = "cannot change while the host runs";
  const hasOther = (before.compareAndSet === undefined) !== (after.compareAndSet === undefined);
  const issues = [
    ...(hasOther ? [{ place: "compareAndSet", problem, mend }] : []),
    ...(before.settleWithin === after.settleWithin ? [] : [{ place: "settleWithin", problem, mend }]),
  ];
  if (issues.length > 0) throw new ConfigError(issues);
}
