import type { Clock, LocalRef, Milliseconds, ResourceScaler } from "@dormouse/core";
import { expect, Unmet } from "./unmet.ts";

/** Runs calls of the plugin and of the harness, none of them longer than a limit, and remembers which one rejected. */
export class CallBounds {
  readonly #clock: Clock;
  readonly #withinMs: Milliseconds;
  #rejected: { readonly call: string; readonly error: unknown } | undefined;

  constructor(clock: Clock, withinMs: Milliseconds) {
    this.#clock = clock;
    this.#withinMs = withinMs;
  }

  /** The call that rejected with just this error. */
  callOf(error: unknown): string | undefined {
    return this.#rejected?.error === error ? this.#rejected?.call : undefined;
  }

  /** @param work may throw at once: that is a rejection too */
  async run<Result>(call: string, work: () => Promise<Result>, withinMs = this.#withinMs): Promise<Result> {
    const late = Promise.withResolvers<never>();
    const timer = this.#clock.setTimer(withinMs, () => {
      late.reject(new Unmet(`${call} to settle within ${String(withinMs)} ms`, "it is still pending"));
    });
    try {
      return await Promise.race([(async () => work())(), late.promise]);
    } catch (error) {
      this.#rejected = { call, error };
      throw error;
    } finally {
      timer.cancel();
    }
  }
}

/** A scaler whose calls are bounded; its watch is read by a `WatchReader`, and a release ends everything. */
export type BoundScaler = Required<Omit<ResourceScaler, "watchResources" | "release">>;

/** The same scaler with every call bounded, and each ref a fresh object, as they are when they come from requests. */
export function boundScaler(scaler: ResourceScaler, bounds: CallBounds): BoundScaler {
  return {
    capabilities: scaler.capabilities,
    listResources: (options) => bounds.run("listResources()", () => scaler.listResources(options)),
    getResource: (ref, options) =>
      bounds.run(`getResource(${showRef(ref)})`, () => scaler.getResource({ ...ref }, options)),
    setScale: (ref, replicas, options) =>
      bounds.run(`setScale(${showRef(ref)}, ${String(replicas)})`, () =>
        scaler.setScale({ ...ref }, replicas, options),
      ),
    resolveTargets: (ref, port, options) =>
      bounds.run(`resolveTargets(${showRef(ref)})`, () => scaler.resolveTargets({ ...ref }, port, options)),
    routeTraffic: (ref, to, options) =>
      bounds.run(`routeTraffic(${showRef(ref)}, "${to}")`, async () => {
        expect(scaler.routeTraffic !== undefined, "routeTraffic to be there, as declared", "undefined");
        await scaler.routeTraffic({ ...ref }, to, options);
      }),
    [Symbol.asyncDispose]: () => bounds.run("dispose", async () => scaler[Symbol.asyncDispose]()),
  };
}

/** A ref as messages name it. */
export function showRef({ namespace, name }: LocalRef): string {
  return `${namespace}/${name}`;
}
