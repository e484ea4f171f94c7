import type { Capabilities, LocalRef, Policy, Resource } from "@dormouse/core";
import { ScalerError } from "@dormouse/core";
import type { SimulatedProcess } from "../engine/simulated-process.ts";
import type { Instance } from "./instance.ts";
import type { ResourceOptions, Write } from "./resource-options.ts";
import { SimulatedResource } from "./simulated-resource.ts";

/** A resource at the start of a run. */
interface InitialResource {
  readonly name: string;
  readonly desired: number;
  readonly policy: Policy;
}

export type PlatformOptions = Pick<ResourceOptions, "seed" | "clock" | "timeLine" | "slowStarts" | "propagationMs"> & {
  readonly capabilities: Capabilities;
  /** Traffic is routed as Kubernetes routes that of Services. */
  readonly isService: boolean;
  readonly resources: readonly InitialResource[];
  readonly written: (resource: SimulatedResource, write: Write) => void;
};

/** A DLX in the platform's list. */
export interface Listed {
  readonly id: string;
  readonly process: SimulatedProcess;
}

/** Id of the one scaler of each simulated host. */
export const scalerId = "sim";

/** What all processes share: resources, who watches them, and the list of DLXs. */
export class SimulatedPlatform {
  readonly capabilities: Capabilities;
  readonly resources: ReadonlyMap<string, SimulatedResource>;
  /** DLXs by id; not-ready, terminating and just-dead ones stand here too. */
  readonly listed = new Map<string, Listed>();
  readonly #watchers = new Map<(resource: Resource) => void, SimulatedProcess>();

  constructor({ resources, capabilities, isService, written, ...shared }: PlatformOptions) {
    this.capabilities = capabilities;
    this.resources = new Map(
      resources.map(({ name, desired, policy }) => {
        const ref = { scaler: scalerId, namespace: "default", name };
        const changed = (resource: SimulatedResource): void => this.#announce(resource);
        const { compareAndSet } = capabilities;
        const hasDlx = isService ? (): boolean => this.#hasDlx : undefined;
        const own = { compareAndSet, ref, desired, policy, changed, written, hasDlx };
        return [name, new SimulatedResource({ ...shared, ...own })];
      }),
    );
  }

  resource({ name }: Pick<LocalRef, "name">): SimulatedResource {
    const found = this.resources.get(name);
    if (found === undefined) throw new ScalerError("SCALER_NOT_FOUND", `there is no ${name}`);
    return found;
  }

  /** The instance behind an address. */
  instanceAt(host: string): Instance | undefined {
    for (const resource of this.resources.values())
      for (const instance of resource.instances) if (instance.host === host) return instance;
    return undefined;
  }

  setScale(ref: LocalRef, replicas: number, ifVersion: string | undefined, by: string): { readonly version: string } {
    const resource = this.resource(ref);
    if (ifVersion !== undefined && ifVersion !== resource.versionText)
      throw new ScalerError("SCALER_CONFLICT", `${ref.name} is at ${resource.versionText}, not at ${ifVersion}`);
    resource.scale(replicas, by);
    return { version: resource.versionText };
  }

  routeTraffic(ref: LocalRef, to: "dlx" | "resource", version: string, by: SimulatedProcess): void | Promise<void> {
    const resource = this.resource(ref);
    if (resource.service !== undefined) return resource.service.routeTo(to, Number(version), by);
    if (to === "resource") resource.assertTrafficSettled();
    if (!resource.routeTo(to, Number(version)))
      throw new ScalerError("SCALER_CONFLICT", `a newer version has routed ${ref.name}`);
  }

  /** Calls back with each change until the result is called or the process is dead. */
  watch(process: SimulatedProcess, watcher: (resource: Resource) => void): () => void {
    this.#watchers.set(watcher, process);
    return () => this.#watchers.delete(watcher);
  }

  /** How many of the living watch. */
  get watchers(): number {
    return [...this.#watchers.values()].filter((process) => !process.isDead).length;
  }

  get #hasDlx(): boolean {
    return [...this.listed.values()].some(({ process }) => !process.isDead);
  }

  #announce(resource: SimulatedResource): void {
    if (this.#watchers.size === 0) return;
    const read = resource.read();
    for (const [watcher, process] of this.#watchers) {
      if (process.isDead) this.#watchers.delete(watcher);
      else watcher(read);
    }
  }
}
