import {
  type CallOptions,
  callWithDeadline,
  type Capabilities,
  isScalerError,
  type LocalRef,
  type Milliseconds,
  type Resource,
  type ResourceChange,
  type ResourceScaler,
  type RouteDirection,
  type RouteTrafficOptions,
  type ScalerContext,
  type SetScaleOptions,
  type Target,
} from "@dormouse/core";
import { openExecLink } from "./exec-link.ts";
import { Greeter } from "./greeter.ts";
import { openHttpLink } from "./http-link.ts";
import { changeSchema, type RemoteCall, type RemoteResult, resourceSchema, resultSchemas } from "./protocol.ts";
import { toAbortedError, toAnswerError, toDisposedError, toLieError } from "./remote-error.ts";
import type { Params, RemoteLink } from "./remote-link.ts";
import type { RemoteOptions } from "./remote-options.ts";
import { type ResourceReading, toListedResource, toResource, toResources } from "./to-resource.ts";
import { toTarget } from "./to-target.ts";

/** As long as the host gives a release, which waits until every resource is awake. */
const releaseTimeoutMs: Milliseconds = 900_000;

/** A program may have to load much first. A host gives an opening 30 s. */
const helloTimeoutMs: Milliseconds = 25_000;

/** Closing is a courtesy to the remote, and not waited for as long as a call. */
const disposeTimeoutMs: Milliseconds = 5_000;

/** Hands every call to a remote, and believes nothing of what comes back before it has been checked. */
export class RemoteScaler implements ResourceScaler {
  readonly capabilities: Capabilities;
  readonly watchResources?: (options?: CallOptions) => AsyncIterable<ResourceChange>;
  readonly routeTraffic?: (ref: LocalRef, to: RouteDirection, options: RouteTrafficOptions) => Promise<void>;
  readonly release?: (options?: CallOptions) => Promise<void>;
  readonly #link: RemoteLink;
  readonly #context: ScalerContext;
  readonly #timeoutMs: Milliseconds;
  readonly #reading: ResourceReading;
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  private constructor(link: RemoteLink, greeter: Greeter, options: RemoteOptions, context: ScalerContext) {
    const { release, ...capabilities } = greeter.capabilities;
    this.capabilities = Object.freeze(capabilities);
    this.#link = link;
    this.#context = context;
    this.#timeoutMs = options.timeout;
    this.#reading = {
      defaults: context.defaults,
      labelPrefix: options.labelPrefix,
      capabilities: greeter.capabilities,
    };
    if (capabilities.watch) this.watchResources = (asked) => this.#watch(asked?.signal);
    if (capabilities.routing) this.routeTraffic = (ref, to, asked) => this.#route(ref, to, asked);
    if (release) this.release = (asked) => this.#release(asked);
  }

  /** Starts or reaches the remote and says hello. Rejects with a ScalerError, or a ConfigError about the options. */
  static async open(options: RemoteOptions, context: ScalerContext): Promise<RemoteScaler> {
    const { clock, id: scaler } = context;
    const greeter = new Greeter({ clock, scaler, options: options.options, timeoutMs: helloTimeoutMs });
    const parts = { context, messageBytes: options.messageBytes, greet: greeter.greet.bind(greeter) };
    const link =
      options.exec === undefined
        ? await openHttpLink({ ...parts, http: httpOf(options) })
        : await openExecLink({ ...parts, exec: options.exec });
    return new RemoteScaler(link, greeter, options, context);
  }

  async listResources(options?: CallOptions): Promise<readonly Resource[]> {
    const { resources } = await this.#call("listResources", {}, options?.signal);
    return toResources(resources, this.#reading, "listResources");
  }

  async getResource(ref: LocalRef, options?: CallOptions): Promise<Resource | undefined> {
    const { resource } = await this.#call("getResource", { ref }, options?.signal);
    if (resource === null) return undefined;
    const parsed = resourceSchema.safeParse(resource);
    if (!parsed.success) throw toAnswerError(`getResource of ${ref.namespace}/${ref.name}`, parsed.error);
    const { namespace, name } = parsed.data.ref;
    if (namespace === ref.namespace && name === ref.name) return toResource(parsed.data, this.#reading);
    throw toLieError("getResource", `${ref.namespace}/${ref.name} was asked for, and ${namespace}/${name} came`);
  }

  async setScale(
    ref: LocalRef,
    replicas: number,
    options: SetScaleOptions = {},
  ): Promise<{ readonly version: string }> {
    const { ifVersion, signal } = options;
    const params = { ref, replicas, ...(ifVersion !== undefined && { ifVersion }) };
    const { version } = await this.#call("setScale", params, signal);
    if (version !== ifVersion) return { version };
    throw toLieError("setScale", `the version must move with every accepted call, and is still ${version}`);
  }

  async resolveTargets(ref: LocalRef, port: string | undefined, options?: CallOptions): Promise<readonly Target[]> {
    const params = { ref, ...(port !== undefined && { port }) };
    const { targets } = await this.#call("resolveTargets", params, options?.signal);
    const ids = new Set(targets.map(({ id }) => id));
    if (ids.size === targets.length) return targets.map(toTarget);
    throw toLieError("resolveTargets", "two targets have one id");
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(toDisposedError());
    const { clock, logger } = this.#context;
    const afterMs = Math.min(disposeTimeoutMs, this.#timeoutMs);
    try {
      await callWithDeadline({ clock, afterMs, what: "dispose" }, (signal) =>
        this.#link.call("dispose", { deadlineMs: afterMs }, signal),
      );
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.debug({ reason }, "the remote did not take its leave");
    } finally {
      await this.#link[Symbol.asyncDispose]();
    }
  }

  async #route(ref: LocalRef, to: RouteDirection, { version, signal }: RouteTrafficOptions): Promise<void> {
    await this.#call("routeTraffic", { ref, to, version }, signal);
  }

  async #release(options: CallOptions | undefined): Promise<void> {
    await this.#call("release", {}, options?.signal, releaseTimeoutMs);
  }

  async *#watch(signal: AbortSignal | undefined): AsyncGenerator<ResourceChange, void, undefined> {
    const ended = this.#signalWith(signal);
    for await (const raw of this.#link.watch({}, ended)) yield this.#toChange(raw);
  }

  #toChange(raw: unknown): ResourceChange {
    const call = "watchResources";
    const parsed = changeSchema.safeParse(raw);
    if (!parsed.success) throw toAnswerError(call, parsed.error);
    const change = parsed.data;
    if (change.kind === "snapshot")
      return { kind: "snapshot", resources: toResources(change.resources, this.#reading, call) };
    if (change.kind === "gone") return change;
    return { kind: "set", resource: toListedResource(change.resource, this.#reading, call, "resource") };
  }

  async #call<Call extends Exclude<RemoteCall, "hello" | "dispose">>(
    call: Call,
    params: Params,
    signal: AbortSignal | undefined,
    afterMs = this.#timeoutMs,
  ): Promise<RemoteResult<Call>> {
    if (this.#closed !== undefined) throw toDisposedError();
    if (signal?.aborted === true) throw toAbortedError(call, signal);
    const answer = await this.#ask(call, params, signal, afterMs);
    const parsed = resultSchemas[call].safeParse(answer);
    if (parsed.success) return parsed.data as RemoteResult<Call>;
    throw toAnswerError(call, parsed.error);
  }

  async #ask(
    call: RemoteCall,
    params: Params,
    signal: AbortSignal | undefined,
    afterMs: Milliseconds,
  ): Promise<unknown> {
    const deadline = { clock: this.#context.clock, afterMs, signal: this.#signalWith(signal), what: call };
    try {
      return await callWithDeadline(deadline, (inner) =>
        this.#link.call(call, { ...params, deadlineMs: afterMs }, inner),
      );
    } catch (error) {
      if (this.#closed !== undefined) throw toDisposedError();
      if (isScalerError(error) && error.code === "SCALER_TIMEOUT") this.#link.onTimeout();
      throw error;
    }
  }

  /** The caller's signal, or the end of this scaler, whichever is first. */
  #signalWith(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
  }
}

function httpOf({ http }: RemoteOptions): NonNullable<RemoteOptions["http"]> {
  if (http === undefined) throw new Error("the options have neither exec nor http");
  return http;
}
