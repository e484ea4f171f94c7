import { isScalerError, type LocalRef, ScalerError } from "@dormouse/core";
import { apiPath, type Cluster } from "@dormouse/kubernetes";
import type { K8sDeploymentOptions } from "./k8s-deployment-options.ts";
import { fieldManager } from "./names.ts";
import { releasedKey } from "./watched-cluster.ts";
import { mergePatch } from "./workload-api.ts";

/** How often a write is repeated that came to late. */
const mostTries = 10;

interface StateObject {
  readonly metadata: { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>> | null;
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
  readonly #cluster: Cluster;
  readonly #options: K8sDeploymentOptions;

  constructor(cluster: Cluster, options: K8sDeploymentOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /**
   * The ports of these users, handed out to those that have none.
   *
   * @param isUsed whether another user's entry still counts; where the range is full, those that do not are given up
   * @throws ScalerError `SCALER_QUOTA` where the range has none left
   */
  async portsFor(
    users: readonly PortUser[],
    isUsed: (user: string) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<PortUser, number>> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const state = await this.#read(signal);
      const known = byUser(state?.data ?? {});
      const missing = users.filter((user) => !known.has(user));
      const changes = missing.length === 0 ? undefined : this.#handOut(missing, state?.data ?? {}, isUsed);
      if (changes === undefined || (await this.#write(state, changes, signal))) {
        const handed = byUser(
          Object.fromEntries(
            Object.entries(changes ?? {}).filter((entry): entry is [string, string] => entry[1] !== null),
          ),
        );
        return new Map(
          users.flatMap((user) => {
            const port = known.get(user) ?? handed.get(user);
            return port === undefined ? [] : [[user, port] as const];
          }),
        );
      }
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
    isUsed: (user: string) => boolean,
  ): Record<string, string | null> {
    const { from, to } = this.#options.dlx.ports;
    const changes: Record<string, string | null> = {};
    let left: string[] | undefined;
    let next = from;
    for (const user of users) {
      while (next <= to && data[String(next)] !== undefined) next += 1;
      if (next <= to) {
        changes[String(next++)] = user;
        continue;
      }
      left ??= Object.entries(data).flatMap(([port, owner]) =>
        isPort(port) && Number(port) >= from && Number(port) <= to && !isUsed(owner) ? [port] : [],
      );
      const port = left.pop();
      if (port === undefined)
        throw new ScalerError(
          "SCALER_QUOTA",
          `all ${String(to - from + 1)} ports of the DLXs are in use; widen the scaler's option dlx.ports`,
        );
      changes[port] = user;
    }
    return changes;
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
    try {
      if (state === undefined) {
        const body = {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name, labels: { "app.kubernetes.io/managed-by": "dormouse" } },
          data,
        };
        await this.#cluster.request("POST", this.#path(), { query: { fieldManager }, body, signal });
      } else {
        const { resourceVersion } = state.metadata;
        await this.#cluster.request("PATCH", this.#path(name), {
          ...mergePatch,
          body: { metadata: { resourceVersion }, data },
          signal,
        });
      }
      return true;
    } catch (error) {
      if (isScalerError(error) && error.code === "SCALER_CONFLICT") return false;
      throw error;
    }
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
