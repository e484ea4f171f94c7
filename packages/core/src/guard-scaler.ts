import type { Milliseconds } from "./clock.ts";
import { type GuardedCall, GuardedCalls } from "./guarded-calls.ts";
import { guardWatch } from "./guarded-watch.ts";
import { parsePluginOptions, toOpenError } from "./plugin-options.ts";
import type { Policy } from "./policy.ts";
import { isRefPart, type LocalRef } from "./resource-ref.ts";
import type {
  CallOptions,
  Capabilities,
  Resource,
  ResourceChange,
  ResourceScaler,
  RouteTrafficOptions,
  ScalerContext,
  ScalerPlugin,
  SetScaleOptions,
  Target,
} from "./resource-scaler.ts";
import { checkAnswer, checkGotResource, checkResources, checkTargets, checkVersion } from "./scaler-answer.ts";
import { ScalerError } from "./scaler-error.ts";

/** A plugin instance behind the host's guard. */
export interface GuardedScaler extends ResourceScaler {
  /** Id of the instance, unique in one host. */
  readonly id: string;
  /** Name of the plugin. */
  readonly plugin: string;
  /** Takes new options and defaults into the running instance; false where the plugin cannot. Rejects with the reason where the options are wrong; the old ones stay. */
  reconfigure(options: unknown, defaults: Policy): Promise<boolean>;
}

/** Deadlines of a guard, and where the options stand. */
export interface GuardLimits {
  /** Of each call, and of a watch's first snapshot; 10 s by default. */
  readonly callTimeoutMs?: Milliseconds;
  /** Of `create` and `reconfigure`; 30 s by default. */
  readonly openTimeoutMs?: Milliseconds;
  /** Of the plugin's own closing; 60 s by default, since it may stop instances with grace. */
  readonly disposeTimeoutMs?: Milliseconds;
  /** Where the options stand, for messages, such as `scalers[0].options`; left out: the scaler's id. */
  readonly place?: string;
}

/** Of a release, which waits until every resource is awake. */
const releaseTimeoutMs: Milliseconds = 900_000;

export interface GuardParts {
  readonly plugin: ScalerPlugin;
  readonly instance: ResourceScaler;
  readonly context: ScalerContext;
  readonly limits: Required<GuardLimits>;
}

/** Puts the host's guard around an instance: see `ScalerGuard`. */
export function guardScaler(parts: GuardParts): GuardedScaler {
  return new ScalerGuard(parts);
}

/**
 * Checks arguments and answers, sets deadlines, heeds the caller's signal, shapes errors, measures, and closes once.
 * What the plugin does late is ignored.
 */
class ScalerGuard implements GuardedScaler {
  readonly id: string;
  readonly plugin: string;
  readonly capabilities: Capabilities;
  readonly watchResources?: (options?: CallOptions) => AsyncIterable<ResourceChange>;
  readonly routeTraffic?: (ref: LocalRef, to: "dlx" | "resource", options: RouteTrafficOptions) => Promise<void>;
  readonly release?: (options?: CallOptions) => Promise<void>;
  readonly #parts: GuardParts;
  readonly #instance: ResourceScaler;
  readonly #calls: GuardedCalls;
  #disposed: Promise<void> | undefined;

  constructor(parts: GuardParts) {
    const { instance, context, limits } = parts;
    this.id = context.id;
    this.plugin = parts.plugin.name;
    this.capabilities = Object.freeze({ ...instance.capabilities });
    this.#parts = parts;
    this.#instance = instance;
    this.#calls = new GuardedCalls({ id: context.id, clock: context.clock, timeoutMs: limits.callTimeoutMs });
    if (this.capabilities.watch) this.watchResources = (options) => this.#watch(options);
    if (instance.release !== undefined) this.release = (options) => this.#release(options);
    if (this.capabilities.routing) this.routeTraffic = (ref, to, options) => this.#route(ref, to, options);
  }

  async listResources(options?: CallOptions): Promise<readonly Resource[]> {
    const call = { name: "listResources", signal: options?.signal };
    return this.#calls.run(call, async (signal) =>
      checkAnswer(this.id, call.name, await this.#instance.listResources({ signal }), checkResources),
    );
  }

  async getResource(ref: LocalRef, options?: CallOptions): Promise<Resource | undefined> {
    const { call, local } = this.#callOn("getResource", ref, options);
    return this.#calls.run(call, async (signal) =>
      checkAnswer(this.id, call.name, await this.#instance.getResource(local, { signal }), (answer) =>
        checkGotResource(answer, local),
      ),
    );
  }

  async setScale(ref: LocalRef, replicas: number, options?: SetScaleOptions): Promise<{ readonly version: string }> {
    const { call, local } = this.#callOn("setScale", ref, options);
    const ifVersion = options?.ifVersion;
    this.#checkScale(call, replicas, ifVersion);
    return this.#calls.run(call, async (signal) => {
      const asked = { signal, ...(ifVersion !== undefined && { ifVersion }) };
      return checkAnswer(this.id, call.name, await this.#instance.setScale(local, replicas, asked), checkVersion);
    });
  }

  async resolveTargets(ref: LocalRef, port: string | undefined, options?: CallOptions): Promise<readonly Target[]> {
    const { call, local } = this.#callOn("resolveTargets", ref, options);
    if (port !== undefined && (typeof port !== "string" || port === ""))
      throw this.#badArgument(call, "port must be a name or left out");
    return this.#calls.run(call, async (signal) =>
      checkAnswer(this.id, call.name, await this.#instance.resolveTargets(local, port, { signal }), checkTargets),
    );
  }

  async reconfigure(options: unknown, defaults: Policy): Promise<boolean> {
    const { plugin, instance, context, limits } = this.#parts;
    if (plugin.reconfigure === undefined) return false;
    const parsed = await parsePluginOptions(plugin, options, limits.place);
    const call = { name: "reconfigure", timeoutMs: limits.openTimeoutMs };
    try {
      await this.#calls.run(call, async () => plugin.reconfigure?.(instance, parsed, { ...context, defaults }));
      return true;
    } catch (error) {
      throw toOpenError(error, limits.place);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    const { context, limits } = this.#parts;
    this.#calls.close();
    const closing = new GuardedCalls({ id: this.id, clock: context.clock, timeoutMs: limits.disposeTimeoutMs });
    await closing.run({ name: "dispose" }, async () => this.#instance[Symbol.asyncDispose]());
  }

  #watch(options: CallOptions | undefined): AsyncIterable<ResourceChange> {
    const { context, limits } = this.#parts;
    return guardWatch((inner) => watchOf(this.#instance, inner ?? {}), options?.signal, {
      id: this.id,
      calls: this.#calls,
      clock: context.clock,
      timeoutMs: limits.callTimeoutMs,
    });
  }

  async #route(ref: LocalRef, to: "dlx" | "resource", options: RouteTrafficOptions): Promise<void> {
    const { call, local } = this.#callOn("routeTraffic", ref, options);
    if (to !== "dlx" && to !== "resource") throw this.#badArgument(call, 'to must be "dlx" or "resource"');
    if (typeof options?.version !== "string" || options.version === "")
      throw this.#badArgument(call, "version must be a text that is not empty");
    await this.#calls.run(call, async (signal) =>
      this.#instance.routeTraffic?.(local, to, { signal, version: options.version }),
    );
  }

  async #release(options: CallOptions | undefined): Promise<void> {
    const call = { name: "release", signal: options?.signal, timeoutMs: releaseTimeoutMs };
    await this.#calls.run(call, async (signal) => this.#instance.release?.({ signal }));
  }

  #callOn(name: string, ref: LocalRef, options: CallOptions | undefined): { call: GuardedCall; local: LocalRef } {
    const { namespace, name: resource } = ref ?? {};
    const call = { name, resource: `${this.id}/${namespace}/${resource}`, signal: options?.signal };
    if (isRefPart(namespace) && isRefPart(resource)) return { call, local: { namespace, name: resource } };
    throw this.#badArgument(call, "ref must have a namespace and a name of 1 to 253 of A-Z a-z 0-9 . _ : -");
  }

  #checkScale(call: GuardedCall, replicas: number, ifVersion: string | undefined): void {
    if (!Number.isSafeInteger(replicas) || replicas < 0)
      throw this.#badArgument(call, `replicas must be a whole number of at least 0, not ${String(replicas)}`);
    if (replicas > 1 && this.capabilities.replicas === "one")
      throw this.#badArgument(call, `replicas must be 0 or 1 with this scaler, not ${replicas}`);
    if (ifVersion === undefined) return;
    if (typeof ifVersion !== "string" || ifVersion === "")
      throw this.#badArgument(call, "ifVersion must be a text that is not empty");
    if (!this.capabilities.compareAndSet)
      throw new ScalerError(
        "SCALER_UNSUPPORTED",
        `scaler "${this.id}" cannot compare and set: ifVersion has no meaning to it`,
      );
  }

  #badArgument(call: GuardedCall, problem: string): ScalerError {
    return new ScalerError("SCALER_BAD_ARGUMENT", `${call.name} of scaler "${this.id}": ${problem}`);
  }
}

function watchOf(instance: ResourceScaler, options: CallOptions): AsyncIterable<ResourceChange> {
  const changes = instance.watchResources?.(options);
  if (changes === undefined) throw new ScalerError("SCALER_UNSUPPORTED", "the scaler has no watch");
  return changes;
}
