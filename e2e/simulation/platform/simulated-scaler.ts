import {
  type CallOptions,
  type Capabilities,
  type GuardedScaler,
  type LocalRef,
  openScaler,
  type Resource,
  type ResourceChange,
  type ResourceScaler,
  type RouteTrafficOptions,
  ScalerError,
  type SetScaleOptions,
  silentLogger,
  type Target,
  defaultPolicy,
} from "@dormouse/core";
import { memoryPlugin } from "@dormouse/core/testing";
import type { Message, Network } from "../engine/network.ts";
import type { SimulatedProcess } from "../engine/simulated-process.ts";
import { scalerId, type SimulatedPlatform } from "./simulated-platform.ts";

export interface SimulatedScalerOptions {
  readonly process: SimulatedProcess;
  readonly platform: SimulatedPlatform;
  readonly network: Network;
  /** Told of each call before it is sent. */
  readonly onCall?: (call: string, ref: LocalRef | undefined) => void;
}

/** A plugin as one process has it: each call is a message to the platform. */
export class SimulatedScaler implements ResourceScaler {
  readonly capabilities: Capabilities;
  readonly watchResources?: (options?: CallOptions) => AsyncIterable<ResourceChange>;
  readonly routeTraffic?: (ref: LocalRef, to: "dlx" | "resource", options: RouteTrafficOptions) => Promise<void>;
  readonly #options: SimulatedScalerOptions;
  readonly #breaks = new Set<(error: Error) => void>();

  constructor(options: SimulatedScalerOptions) {
    this.#options = options;
    this.capabilities = options.platform.capabilities;
    if (this.capabilities.watch) this.watchResources = (asked) => this.#watch(asked?.signal);
    if (this.capabilities.routing) this.routeTraffic = (ref, to, asked) => this.#route(ref, to, asked);
  }

  listResources(options?: CallOptions): Promise<readonly Resource[]> {
    const { platform } = this.#options;
    return this.#ask("list", undefined, options?.signal, "list", () =>
      [...platform.resources.values()].map((resource) => resource.read()),
    );
  }

  getResource(ref: LocalRef, options?: CallOptions): Promise<Resource | undefined> {
    const { platform } = this.#options;
    return this.#ask("get", ref, options?.signal, `get ${ref.name}`, () => platform.resources.get(ref.name)?.read());
  }

  setScale(ref: LocalRef, replicas: number, options: SetScaleOptions = {}): Promise<{ readonly version: string }> {
    const { platform, process } = this.#options;
    const { ifVersion, signal } = options;
    const condition = ifVersion === undefined ? "" : ` if ${ifVersion}`;
    return this.#ask("setScale", ref, signal, `setScale ${ref.name} ${String(replicas)}${condition}`, () =>
      platform.setScale(ref, replicas, ifVersion, process.name),
    );
  }

  resolveTargets(ref: LocalRef, _port: string | undefined, options?: CallOptions): Promise<readonly Target[]> {
    const { platform } = this.#options;
    return this.#ask("targets", ref, options?.signal, `targets ${ref.name}`, () => platform.resource(ref).targets());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.breakWatches();
  }

  /** Ends every watch that runs, as a platform's server does now and then. */
  breakWatches(): void {
    for (const end of this.#breaks) end(new ScalerError("SCALER_UNAVAILABLE", "the watch broke off"));
  }

  #route(ref: LocalRef, to: "dlx" | "resource", { version, signal }: RouteTrafficOptions): Promise<void> {
    const { platform, process } = this.#options;
    return this.#ask("route", ref, signal, `route ${ref.name} to ${to} by ${version}`, () =>
      platform.routeTraffic(ref, to, version, process),
    );
  }

  /** Without compare-and-set a call is accepted within the time that the plugin promises, or never. */
  #ask<Answer>(
    kind: string,
    ref: LocalRef | undefined,
    signal: AbortSignal | undefined,
    text: string,
    effect: () => Answer | Promise<Answer>,
  ): Promise<Answer> {
    const { process, network, onCall } = this.#options;
    const { compareAndSet, settleWithinMs } = this.capabilities;
    onCall?.(text, ref);
    const isBound = !compareAndSet && (kind === "setScale" || kind === "route");
    const neverRepeated = isBound || kind === "watch";
    const message: Message = {
      from: process,
      text,
      kind: ref === undefined ? kind : `${kind} ${ref.name}`,
      signal,
      neverRepeated,
      ...(isBound && { latestMs: settleWithinMs }),
    };
    return network.ask(message, effect);
  }

  async *#watch(signal: AbortSignal | undefined): AsyncGenerator<ResourceChange, void, undefined> {
    const feed = new Feed(this.#options.process);
    const { platform } = this.#options;
    const end = (): void => feed.end();
    signal?.addEventListener("abort", end, { once: true });
    this.#breaks.add(feed.end);
    let stop: () => void = () => {};
    try {
      const resources = await this.#ask("watch", undefined, signal, "watch", () => {
        if (!feed.isEnded)
          stop = platform.watch(this.#options.process, (resource) => feed.push({ kind: "set", resource }));
        return [...platform.resources.values()].map((resource) => resource.read());
      });
      yield { kind: "snapshot", resources };
      yield* feed.read();
    } finally {
      feed.end();
      stop();
      this.#breaks.delete(feed.end);
      signal?.removeEventListener("abort", end);
    }
  }
}

/** Changes in their order, which come to the process a moment late, or once it goes on. */
class Feed {
  readonly #process: SimulatedProcess;
  readonly #changes: ResourceChange[] = [];
  #wakeUp: () => void = () => {};
  #end: { readonly error: Error | undefined } | undefined;

  constructor(process: SimulatedProcess) {
    this.#process = process;
  }

  push(change: ResourceChange): void {
    this.#process.clock.setTimer(1, () => {
      this.#changes.push(change);
      this.#wakeUp();
    });
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  readonly end = (error?: Error): void => {
    this.#end ??= { error };
    this.#wakeUp();
  };

  async *read(): AsyncGenerator<ResourceChange, void, undefined> {
    for (;;) {
      for (let change = this.#changes.shift(); change !== undefined; change = this.#changes.shift()) yield change;
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return;
      await new Promise<void>((resolve) => (this.#wakeUp = resolve));
    }
  }
}

/** Opens the plugin as a host would: behind the guard, on the process's clock. */
export async function openSimulatedScaler(
  options: SimulatedScalerOptions,
): Promise<{ readonly scaler: GuardedScaler; readonly plugin: SimulatedScaler }> {
  const plugin = new SimulatedScaler(options);
  const value = { ...memoryPlugin, name: "simulated", create: async () => plugin };
  const context = { id: scalerId, logger: silentLogger, clock: options.process.clock, defaults: defaultPolicy };
  return { plugin, scaler: await openScaler(value, {}, context) };
}
