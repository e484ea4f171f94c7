import {
  type CallOptions,
  type Capabilities,
  type LocalRef,
  type ResourceScaler,
  type RouteTrafficOptions,
  ScalerError,
  type ScalerPlugin,
} from "@dormouse/core";
import { scaler as processScaler } from "@dormouse/scaler-process";

/** Who receives a resource's own traffic, and by which version. */
interface Routed {
  readonly to: "dlx" | "resource";
  readonly version: string;
}

/**
 * The scaler `process` with routing added: where the traffic of a resource goes is only written down, as a platform that
 * routes by itself would have it. So the step of a sleep that diverts traffic can be tested with real processes.
 */
export const routedScaler: ScalerPlugin = {
  ...(processScaler as ScalerPlugin),
  name: "routed-process",
  create: async (options, context) => new RoutedScaler(await processScaler.create(options as never, context)),
};

class RoutedScaler implements ResourceScaler {
  readonly capabilities: Capabilities;
  readonly #inner: ResourceScaler;
  readonly #routed = new Map<string, Routed & { readonly order: number }>();
  readonly #order = new Map<string, number>();

  constructor(inner: ResourceScaler) {
    this.#inner = inner;
    this.capabilities = { ...inner.capabilities, routing: true };
  }

  listResources(options?: CallOptions) {
    return this.#inner.listResources(options);
  }

  getResource(ref: LocalRef, options?: CallOptions) {
    return this.#inner.getResource(ref, options);
  }

  watchResources(options?: CallOptions) {
    const { watchResources } = this.#inner;
    if (watchResources === undefined) throw new ScalerError("SCALER_UNSUPPORTED", "processes can be watched");
    return watchResources.call(this.#inner, options);
  }

  async setScale(...call: Parameters<ResourceScaler["setScale"]>) {
    const accepted = await this.#inner.setScale(...call);
    this.#order.set(accepted.version, this.#order.size);
    return accepted;
  }

  resolveTargets(...call: Parameters<ResourceScaler["resolveTargets"]>) {
    return this.#inner.resolveTargets(...call);
  }

  async routeTraffic({ namespace, name }: LocalRef, to: Routed["to"], { version }: RouteTrafficOptions): Promise<void> {
    const key = `${namespace}/${name}`;
    const order = this.#order.get(version) ?? -1;
    const newest = this.#routed.get(key)?.order ?? -1;
    if (order < newest) throw new ScalerError("SCALER_CONFLICT", `${key} was routed by a newer version`);
    this.#routed.set(key, { to, version, order });
  }

  [Symbol.asyncDispose]() {
    return this.#inner[Symbol.asyncDispose]();
  }
}
