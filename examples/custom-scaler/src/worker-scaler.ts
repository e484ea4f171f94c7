import {
  type CallOptions,
  type Capabilities,
  type LocalRef,
  parsePolicy,
  type Resource,
  type ResourceScaler,
  type ScalerContext,
  type SetScaleOptions,
  type Target,
} from "@dormouse/core";
import { toConflictError, toNotFoundError } from "./worker-error.ts";
import type { WorkerOptions } from "./worker-options.ts";
import { WorkerResource } from "./worker-resource.ts";

/** Servers in worker threads. The threads are the platform; they do not outlive the host. */
export class WorkerScaler implements ResourceScaler {
  readonly capabilities: Capabilities = {
    replicas: "one",
    watch: false,
    routing: false,
    compareAndSet: true,
    settleWithinMs: 0,
  };
  readonly #resources = new Map<string, WorkerResource>();

  constructor({ resources }: WorkerOptions, { clock, defaults }: ScalerContext) {
    for (const [index, spec] of resources.entries()) {
      const policy = parsePolicy(spec.policy, { ...defaults, enabled: true }, `resources[${index}].policy`);
      this.#resources.set(`default/${spec.name}`, new WorkerResource(spec, policy, clock));
    }
  }

  async listResources({ signal }: CallOptions = {}): Promise<readonly Resource[]> {
    signal?.throwIfAborted();
    return [...this.#resources.values()].map((resource) => resource.toResource());
  }

  async getResource(ref: LocalRef, { signal }: CallOptions = {}): Promise<Resource | undefined> {
    signal?.throwIfAborted();
    return this.#resources.get(keyOf(ref))?.toResource();
  }

  async setScale(
    ref: LocalRef,
    replicas: number,
    { signal, ifVersion }: SetScaleOptions = {},
  ): Promise<{ version: string }> {
    signal?.throwIfAborted();
    const resource = this.#find(ref);
    if (ifVersion !== undefined && ifVersion !== resource.version)
      throw toConflictError(ref, ifVersion, resource.version);
    return { version: resource.setScale(replicas) };
  }

  async resolveTargets(
    ref: LocalRef,
    _port: string | undefined,
    { signal }: CallOptions = {},
  ): Promise<readonly Target[]> {
    signal?.throwIfAborted();
    return this.#find(ref).targets();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const resources = [...this.#resources.values()];
    for (const resource of resources) resource.setScale(0);
    await Promise.all(resources.map(({ ended }) => ended));
  }

  #find(ref: LocalRef): WorkerResource {
    const resource = this.#resources.get(keyOf(ref));
    if (resource === undefined) throw toNotFoundError(ref);
    return resource;
  }
}

function keyOf({ namespace, name }: LocalRef): string {
  return `${namespace}/${name}`;
}
