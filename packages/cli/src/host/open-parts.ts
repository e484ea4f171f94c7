import { randomUUID } from "node:crypto";
import { openAutoscaler } from "@dormouse/autoscaler";
import {
  type LeaderElector,
  type MetricsSource,
  type PeerDiscovery,
  type ResourceCatalog,
  SleepGate,
  soleLeader,
} from "@dormouse/core";
import { localPeers, openDlx } from "@dormouse/dlx";
import { AskedWakes } from "./asked-wakes.ts";
import { builtInSources } from "./built-in-sources.ts";
import { Closing } from "./closing.ts";
import { descriptorLimit } from "./descriptor-limit.ts";
import type { AutoscalerPart, DlxPart, Foundation, HostEngine } from "./host-engine.ts";
import { ownTraffic } from "./host-traffic.ts";
import { openCluster, openElector } from "./open-cluster.ts";
import { OwnEntry } from "./own-entry.ts";
import { PeerTraffic } from "./peer-traffic.ts";
import type { PluginOpener } from "./plugin-opener.ts";
import { WatchedLead } from "./watched-lead.ts";
import { withinDescriptors } from "./within-descriptors.ts";

/** What the parts of a host stand on. */
interface Ground {
  readonly opener: PluginOpener;
  readonly catalog: ResourceCatalog;
}

/** A host's parts, open, and the metrics sources by id, which a reload may replace. */
export interface OpenedParts {
  readonly engine: HostEngine;
  readonly sources: ReadonlyMap<string, MetricsSource>;
}

/**
 * Opens the parts that a host has by its role: DLX, autoscaler, or both. Where one fails, those before it are closed again.
 * @throws RefusedConfig, StartFailure, ConfigError as the part says it
 */
export async function openParts(foundation: Foundation, ground: Ground): Promise<OpenedParts> {
  const parts = new Closing(foundation.logger);
  try {
    const all = { ...foundation, ...ground, parts };
    if (foundation.role === "dlx") return await openDlxHost(all);
    return await (foundation.role === "autoscaler" ? openAutoscalerHost(all) : openWholeHost(all));
  } catch (error) {
    await parts[Symbol.asyncDispose]();
    throw error;
  }
}

type Opening = Foundation & Ground & { readonly parts: Closing };

async function openWholeHost(opening: Opening): Promise<OpenedParts> {
  const sleepGate = new SleepGate(opening.clock);
  const dlxPart = await openDlxPart(opening, sleepGate, undefined);
  const peers = localPeers(dlxPart.dlx);
  const elector = { elector: soleLeader, singleHost: true };
  const { autoscalerPart, sources } = await openAutoscalerPart(opening, sleepGate, peers, elector);
  const traffic = ownTraffic(dlxPart.dlx);
  const { process } = dlxPart.dlx;
  return { engine: { ...opening, process, dlxPart, autoscalerPart, peers, traffic }, sources };
}

async function openDlxHost(opening: Opening): Promise<OpenedParts> {
  const { peers } = opening.parts.add("cluster", await openCluster(opening, opening.opener));
  const dlxPart = await openDlxPart(opening, new SleepGate(opening.clock), peers);
  const traffic = ownTraffic(dlxPart.dlx);
  const { process } = dlxPart.dlx;
  return { engine: { ...opening, process, dlxPart, autoscalerPart: undefined, peers, traffic }, sources: new Map() };
}

async function openAutoscalerHost(opening: Opening): Promise<OpenedParts> {
  const { parts, clock } = opening;
  const { peers } = parts.add("cluster", await openCluster(opening, opening.opener));
  const elector = parts.add("leader elector", await openElector(opening, opening.opener));
  const sleepGate = new SleepGate(clock);
  const traffic = parts.add("traffic", new PeerTraffic(peers, clock));
  // No DLX of another process is known: what keeps a resource awake then is that there is none at all.
  const singleHost = opening.loaded.config.cluster.peers === undefined;
  const opened = await openAutoscalerPart(opening, sleepGate, peers, { elector, singleHost });
  const wakes = parts.add("asked wakes", new AskedWakes({ ...opening, sleepGate }));
  const autoscalerPart = { ...opened.autoscalerPart, wakes };
  const process = randomUUID();
  return {
    engine: { ...opening, process, dlxPart: undefined, autoscalerPart, peers, traffic },
    sources: opened.sources,
  };
}

/** @param peers the DLXs of the cluster; undefined: this one alone */
async function openDlxPart(opening: Opening, sleepGate: SleepGate, peers: PeerDiscovery | undefined): Promise<DlxPart> {
  const { parts, opener, loaded, clock, logger } = opening;
  const routeSources = await opener.openRouteSources();
  for (const source of routeSources) parts.add("route source", source);
  const config = withinDescriptors(loaded.config.dlx, descriptorLimit());
  const ownEntry = peers === undefined ? undefined : new OwnEntry({ peers, clock, logger });
  const { seesDirect } = opening.directSources;
  const asPeers = ownEntry === undefined ? {} : { peers: ownEntry.asPeers };
  const dlx = parts.add("DLX", await openDlx({ ...opening, ...asPeers, seesDirect, config, sleepGate, routeSources }));
  if (ownEntry === undefined) return { dlx, routeSources };
  parts.add("own entry", ownEntry).start(dlx);
  return { dlx, routeSources, ownEntry };
}

interface Lead {
  readonly elector: LeaderElector;
  readonly singleHost: boolean;
}

async function openAutoscalerPart(
  opening: Opening,
  sleepGate: SleepGate,
  peers: PeerDiscovery,
  { elector, singleHost }: Lead,
): Promise<{ readonly autoscalerPart: AutoscalerPart; readonly sources: ReadonlyMap<string, MetricsSource> }> {
  const { parts, opener, loaded, clock } = opening;
  const sources = await opener.openMetricsSources(opener.metricsSources(), builtInSources(peers));
  const lead = new WatchedLead(elector, clock);
  const config = loaded.config.autoscaler;
  try {
    const { seesDirect } = opening.directSources;
    const options = { ...opening, seesDirect, config, peers, elector: lead, sources, sleepGate, singleHost };
    const autoscaler = parts.add("autoscaler", await openAutoscaler(options));
    return { autoscalerPart: { autoscaler, lead }, sources };
  } catch (error) {
    for (const source of sources.values()) await source[Symbol.asyncDispose]();
    throw error;
  }
}
