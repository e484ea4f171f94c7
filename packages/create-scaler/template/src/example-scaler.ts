import {
  type CallOptions,
  type Capabilities,
  defaultNamespace,
  isConfigError,
  isRefPart,
  isScalerError,
  type LocalRef,
  parsePolicyLabels,
  type Resource,
  type ResourceScaler,
  ScalerError,
  type ScalerContext,
  type SetScaleOptions,
  type Target,
} from "@dormouse/core";
import type { ExampleApi, ExampleService } from "./example-api.ts";
import { toFailure, toPortError } from "./example-error.ts";

/** Labels of a service that Dormouse reads: `dormouse.dev/enabled`, `dormouse.dev/hosts` and the other words of a policy. */
const labelPrefix = "dormouse.dev/";

const portName = "http";

/** Services of the platform. It keeps nothing: every call asks the platform, which keeps everything. */
export class ExampleScaler implements ResourceScaler {
  readonly capabilities: Capabilities = {
    replicas: "many",
    watch: false,
    routing: false,
    compareAndSet: true,
    // A request that was given up may still be on its way to the platform for this long.
    settleWithinMs: 500,
  };
  readonly #api: ExampleApi;
  readonly #context: ScalerContext;

  constructor(api: ExampleApi, context: ScalerContext) {
    this.#api = api;
    this.#context = context;
  }

  async listResources({ signal }: CallOptions = {}): Promise<readonly Resource[]> {
    const services = await this.#api.services(signal);
    return services.filter(({ name }) => isRefPart(name)).map((service) => this.#toResource(service));
  }

  async getResource(ref: LocalRef, { signal }: CallOptions = {}): Promise<Resource | undefined> {
    try {
      return this.#toResource(await this.#service(ref, signal));
    } catch (error) {
      if (isScalerError(error) && error.code === "SCALER_NOT_FOUND") return undefined;
      throw error;
    }
  }

  async setScale(ref: LocalRef, replicas: number, options: SetScaleOptions = {}): Promise<{ version: string }> {
    const { signal, ifVersion } = options;
    const version = await this.#api.setCount(nameOf(ref), replicas, { ifRevision: ifVersion, signal });
    return { version };
  }

  /** Instances that are being stopped are left out, however healthy they look. */
  async resolveTargets(
    ref: LocalRef,
    port: string | undefined,
    { signal }: CallOptions = {},
  ): Promise<readonly Target[]> {
    const service = await this.#service(ref, signal);
    if (port !== undefined && port !== portName) throw toPortError(service, port);
    return service.instances
      .filter(({ state }) => state === "running")
      .map(({ id, host, port: number }) => ({ id, host, port: number }));
  }

  /** Nothing is open: no watch, no timer. What runs on the platform goes on running. */
  async [Symbol.asyncDispose](): Promise<void> {}

  async #service(ref: LocalRef, signal: AbortSignal | undefined): Promise<ExampleService> {
    return this.#api.service(nameOf(ref), signal);
  }

  #toResource(service: ExampleService): Resource {
    return {
      ref: { namespace: defaultNamespace, name: service.name },
      desired: service.count,
      // While it goes to sleep, what still runs counts: asleep means gone.
      ready: service.instances.filter(({ state }) => state !== "starting").length,
      wakeReplicas: service.lastCount,
      version: service.revision,
      ...(service.failure !== undefined && { failure: toFailure(service.failure) }),
      ports: [{ name: portName, number: service.port, protocol: "http" }],
      ...this.#policyOf(service),
      createdAt: service.createdAt,
      updatedAt: service.changedAt,
    };
  }

  /** A service whose labels are wrong is listed with the reason, and left alone; it takes no other along. */
  #policyOf({ name, labels }: ExampleService): Pick<Resource, "policy" | "refusal"> {
    const { defaults } = this.#context;
    try {
      return { policy: parsePolicyLabels(labels, labelPrefix, defaults, name) };
    } catch (error) {
      if (!isConfigError(error)) throw error;
      const refusal = { code: "SCALER_BAD_OPTIONS", message: error.message } as const;
      return { policy: { ...defaults, enabled: false }, refusal };
    }
  }
}

/** The platform knows no namespaces: there is nothing in another than the default one. */
function nameOf({ namespace, name }: LocalRef): string {
  if (namespace === defaultNamespace) return name;
  throw new ScalerError("SCALER_NOT_FOUND", `there is no service ${namespace}/${name}`);
}
