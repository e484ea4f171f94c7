import { backoffMs, type Clock, isScalerError, type LocalRef, ScalerError } from "@dormouse/core";
import { apiPath, type Cluster } from "@dormouse/kubernetes";
import { isWritten } from "./conditional-write.ts";
import type { K8sDeploymentOptions } from "./k8s-deployment-options.ts";
import { fieldManager } from "./names.ts";
import { releasedKey } from "./watched-cluster.ts";
import { mergePatch } from "./workload-api.ts";

/** How often a write is repeated that came too late. */
const mostTries = 20;

interface StateObject {
  readonly metadata: { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>> | null;
}

/** Askers that one write serves. */
const mostAtOnce = 100;

interface Waiting {
  readonly users: readonly PortUser[];
  readonly inUse: ReadonlyMap<number, PortUser>;
  readonly resolve: (ports: ReadonlyMap<PortUser, number>) => void;
  readonly reject: (error: unknown) => void;
}

/** A Service's port: what one port of the DLXs belongs to. */
export type PortUser = `${string}/${string}/${string}`;

/** Names a Service's port by its name within the Service. */
export function portUser({ namespace, name }: LocalRef, port: string): PortUser {
  return `${namespace}/${name}/${port === "" ? "-" : port}`;
}

/**
 * Which port of the DLXs belongs to which Service's port, kept in one ConfigMap: two autoscalers that hand out ports at
 * once cannot give one to two Services, since each write is conditional on what was read.
 */
export class PortBook {
  readonly #cluster: Pick<Cluster, "request" | "namespace">;
  readonly #options: Pick<K8sDeploymentOptions, "dlx" | "state">;
  readonly #clock: Clock;
  /** Those who wait for the write that is to begin next. */
  readonly #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(
    cluster: Pick<Cluster, "request" | "namespace">,
    options: Pick<K8sDeploymentOptions, "dlx" | "state">,
    clock: Clock,
  ) {
    this.#cluster = cluster;
    this.#options = options;
    this.#clock = clock;
  }

  /**
   * The ports of these users, handed out to those that have none. One write of a process goes at a time, and takes along
   * whatever was asked for during the one before.
   *
   * @param inUse what slices list now. It counts as booked, in case somebody took the book away; and once the range is
   *   full, entries of users that are not in it are given up
   * @throws ScalerError `SCALER_QUOTA` where the range has none left
   */
  async portsFor(
    users: readonly PortUser[],
    inUse: ReadonlyMap<number, PortUser>,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<PortUser, number>> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<PortUser, number>>();
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#waiting.push({ users, inUse, resolve, reject });
    void this.#writeAll();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Never rejects. */
  async #writeAll(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, mostAtOnce);
      const inUse = new Map(batch.flatMap((each) => [...each.inUse]));
      try {
        const handed = await this.#portsFor([...new Set(batch.flatMap(({ users }) => users))], inUse);
        for (const each of batch) each.resolve(handed);
      } catch (error) {
        for (const each of batch) each.reject(error);
      }
    }
    this.#isWriting = false;
  }

  async #portsFor(
    users: readonly PortUser[],
    inUse: ReadonlyMap<number, PortUser>,
  ): Promise<ReadonlyMap<PortUser, number>> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const state = await this.#read(undefined);
      const data = state?.data ?? {};
      const known = byUser(data);
      const missing = users.filter((user) => !known.has(user));
      const handed = this.#handOut(missing, data, inUse);
      const changes = Object.fromEntries([...handed].map(([user, port]) => [String(port), user]));
      if (missing.length === 0 || (await this.#write(state, changes, undefined)))
        return new Map(users.map((user) => [user, known.get(user) ?? handed.get(user) ?? 0]));
      await this.#clock.sleep(backoffMs(tries, { firstMs: 5, longestMs: 200 }));
    }
    throw new ScalerError(
      "SCALER_UNAVAILABLE",
      `ConfigMap ${this.#name} changed all the time; ports are handed out later`,
    );
  }

  /** Writes down that everything has been handed back, or that it no longer is. */
  async setReleased(since: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    const value = since === undefined ? null : String(since);
    for (let tries = 0; tries < mostTries; tries += 1) {
      const state = await this.#read(signal);
      if (state === undefined && value === null) return;
      if (await this.#write(state, { [releasedKey]: value }, signal)) return;
    }
    throw new ScalerError("SCALER_UNAVAILABLE", `ConfigMap ${this.#name} changed all the time`);
  }

  #handOut(
    users: readonly PortUser[],
    data: Readonly<Record<string, string>>,
    inUse: ReadonlyMap<number, PortUser>,
  ): ReadonlyMap<PortUser, number> {
    const { from, to } = this.#options.dlx.ports;
    const isFree = (port: number): boolean => data[String(port)] === undefined && !taken.has(port);
    const taken = new Set<number>();
    const handed = new Map<PortUser, number>();
    const give = (user: PortUser, port: number): void => void (taken.add(port), handed.set(user, port));
    const listed = new Map([...inUse].map(([port, user]) => [user, port]));
    for (const user of users) {
      const port = listed.get(user);
      if (port !== undefined && port >= from && port <= to && isFree(port)) give(user, port);
    }
    let next = from;
    let left: number[] | undefined;
    for (const user of users) {
      if (handed.has(user)) continue;
      while (next <= to && !(isFree(next) && !inUse.has(next))) next += 1;
      left ??= next <= to ? undefined : this.#abandoned(data, inUse);
      const port = next <= to ? next : left?.pop();
      if (port === undefined)
        throw new ScalerError(
          "SCALER_QUOTA",
          `all ${String(to - from + 1)} ports of the DLXs are in use; widen the scaler's option dlx.ports`,
        );
      give(user, port);
    }
    return handed;
  }

  /** Ports whose entries nobody uses. */
  #abandoned(data: Readonly<Record<string, string>>, inUse: ReadonlyMap<number, PortUser>): number[] {
    const { from, to } = this.#options.dlx.ports;
    const users = new Set<string>(inUse.values());
    return Object.entries(data)
      .filter(([port, user]) => isPort(port) && !users.has(user))
      .map(([port]) => Number(port))
      .filter((port) => port >= from && port <= to && !inUse.has(port));
  }

  async #read(signal: AbortSignal | undefined): Promise<StateObject | undefined> {
    try {
      return await this.#cluster.request<StateObject>("GET", this.#path(this.#options.state.configMap), { signal });
    } catch (error) {
      if (isScalerError(error) && error.code === "SCALER_NOT_FOUND") return undefined;
      throw error;
    }
  }

  /** False: somebody else wrote meanwhile. */
  async #write(
    state: StateObject | undefined,
    data: Readonly<Record<string, string | null>>,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const name = this.#options.state.configMap;
    if (state === undefined) {
      const metadata = { name, labels: { "app.kubernetes.io/managed-by": "dormouse" } };
      const body = { apiVersion: "v1", kind: "ConfigMap", metadata, data };
      return isWritten(this.#cluster.request("POST", this.#path(), { query: { fieldManager }, body, signal }));
    }
    const { resourceVersion } = state.metadata;
    const body = { metadata: { resourceVersion }, data };
    return isWritten(this.#cluster.request("PATCH", this.#path(name), { ...mergePatch, body, signal }));
  }

  get #namespace(): string {
    return this.#options.state.namespace ?? this.#cluster.namespace;
  }

  get #name(): string {
    return `${this.#namespace}/${this.#options.state.configMap}`;
  }

  #path(name?: string): string {
    return apiPath("v1", "configmaps", { namespace: this.#namespace, ...(name !== undefined && { name }) });
  }
}

function byUser(data: Readonly<Record<string, string>>): Map<string, number> {
  return new Map(Object.entries(data).flatMap(([port, user]) => (isPort(port) ? [[user, Number(port)] as const] : [])));
}

function isPort(text: string): boolean {
  return /^\d{4,5}$/.test(text);
}
