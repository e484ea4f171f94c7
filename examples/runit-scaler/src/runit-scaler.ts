import { join } from "node:path";
import {
  type CallOptions,
  callWithDeadline,
  type Capabilities,
  type Clock,
  isScalerError,
  type LocalRef,
  parsePolicy,
  type Resource,
  type ResourceScaler,
  type ScalerContext,
  type SetScaleOptions,
  type Target,
} from "@dormouse/core";
import { toNotFoundError, toPortError } from "./runit-error.ts";
import type { RunitOptions } from "./runit-options.ts";
import { RunitService } from "./runit-service.ts";
import { ServiceFolder } from "./service-folder.ts";

/** Longer than a write waits for runsv. */
const longestCallMs = 9_000;

/** Services that runit supervises. They outlive the host: closing it leaves them as they are. */
export class RunitScaler implements ResourceScaler {
  readonly capabilities: Capabilities = {
    replicas: "one",
    watch: false,
    routing: false,
    // runsv compares nothing: it takes whatever is written into its pipe.
    compareAndSet: false,
    // A command that was written is carried out within that time, or runsv has stopped.
    settleWithinMs: 100,
  };
  readonly #clock: Clock;
  readonly #services = new Map<string, RunitService>();

  constructor({ folder, services }: RunitOptions, { clock, defaults }: ScalerContext) {
    this.#clock = clock;
    for (const [index, spec] of services.entries()) {
      const policy = parsePolicy(spec.policy, { ...defaults, enabled: true }, `services[${index}].policy`);
      const parts = { policy, folder: new ServiceFolder(join(folder, spec.name)), clock };
      this.#services.set(keyOf({ namespace: "default", name: spec.name }), new RunitService(spec, parts));
    }
  }

  async listResources({ signal }: CallOptions = {}): Promise<readonly Resource[]> {
    return this.#call(signal, async () => {
      const found = await Promise.all([...this.#services.values()].map(readIfThere));
      return found.filter((resource) => resource !== undefined);
    });
  }

  async getResource(ref: LocalRef, { signal }: CallOptions = {}): Promise<Resource | undefined> {
    const service = this.#services.get(keyOf(ref));
    return this.#call(signal, async () => (service === undefined ? undefined : readIfThere(service)));
  }

  async setScale(ref: LocalRef, replicas: number, { signal }: SetScaleOptions = {}): Promise<{ version: string }> {
    return this.#call(signal, async (ended) => ({ version: await this.#find(ref).setScale(replicas, ended) }));
  }

  async resolveTargets(
    ref: LocalRef,
    port: string | undefined,
    { signal }: CallOptions = {},
  ): Promise<readonly Target[]> {
    return this.#call(signal, async () => {
      const service = this.#find(ref);
      if (port !== undefined && port !== "http") throw toPortError(port);
      return service.targets();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#services.values()].map((service) => service.settled()));
  }

  /** Files take no signal once they are asked: the call ends for its caller, and what was begun ends by itself. */
  async #call<Result>(signal: AbortSignal | undefined, work: (ended: AbortSignal) => Promise<Result>): Promise<Result> {
    return callWithDeadline({ clock: this.#clock, afterMs: longestCallMs, signal, what: "the call" }, work);
  }

  #find(ref: LocalRef): RunitService {
    const service = this.#services.get(keyOf(ref));
    if (service === undefined) throw toNotFoundError(ref);
    return service;
  }
}

/** Undefined where its folder is gone. What cannot be found out is an error, never an absence. */
async function readIfThere(service: RunitService): Promise<Resource | undefined> {
  try {
    return await service.toResource();
  } catch (error) {
    if (isScalerError(error) && error.code === "SCALER_NOT_FOUND") return undefined;
    throw error;
  }
}

function keyOf({ namespace, name }: LocalRef): string {
  return `${namespace}/${name}`;
}
