import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { LeaderElector } from "./leader-elector.ts";
import type { MetricsSource } from "./metrics-source.ts";
import type { PeerDiscovery, PeerDiscoveryContext } from "./peer-discovery.ts";
import { contractVersion, type PluginContext, type ResourceScaler, type ScalerPlugin } from "./resource-scaler.ts";
import type { RouteSource } from "./route-source.ts";

/** The ports that hosts fill, each loaded by `use:` in the same way as a scaler, under the export name of its row. */
export interface PortInstances {
  readonly metricsSource: MetricsSource;
  readonly routeSource: RouteSource;
  readonly peerDiscovery: PeerDiscovery;
  readonly leaderElector: LeaderElector;
}

/** What a host gives a plugin of each port. */
export interface PortContexts {
  readonly metricsSource: PluginContext;
  readonly routeSource: PluginContext;
  readonly peerDiscovery: PeerDiscoveryContext;
  readonly leaderElector: PluginContext;
}

/** Names of the ports; also the export names of their plugins. */
export type PortKind = keyof PortInstances;

/** A plugin that fills one of the ports. */
export interface PortPlugin<Kind extends PortKind = PortKind, Options = unknown> {
  readonly contract: number;
  readonly kind: Kind;
  readonly name: string;
  /** Any Standard Schema; unknown keys should be errors. */
  readonly options: StandardSchemaV1<unknown, Options>;
  create(options: Options, context: PortContexts[Kind]): Promise<PortInstances[Kind]>;
}

/** The value that a scaler package exports as `scaler`. */
export function defineScaler<Options, Scaler extends ResourceScaler>(
  plugin: Omit<ScalerPlugin<Options, Scaler>, "kind">,
): ScalerPlugin<Options, Scaler> {
  return { ...plugin, kind: "scaler" };
}

/** The value that a package exports under the port's name, for example as `metricsSource`. */
export function definePort<Kind extends PortKind, Options>(
  kind: Kind,
  plugin: Omit<PortPlugin<Kind, Options>, "kind" | "contract">,
): PortPlugin<Kind, Options> {
  return { ...plugin, contract: contractVersion, kind };
}
