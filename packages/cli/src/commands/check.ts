import { formatRef, type PeerDiscovery, silentLogger, toScalerError } from "@dormouse/core";
import { Credentials } from "../admin/credentials.ts";
import { PeerClients } from "../client/peer-clients.ts";
import { checkWrittenResources, resourceIssues } from "../config/check-config.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import type { PlacedResource } from "../config/placed-resource.ts";
import { maskConfig, printConfig } from "../config/print-config.ts";
import { formatProblem, type Problem } from "../config/problem.ts";
import { readConfig } from "../config/read-config.ts";
import { readEnvironment } from "../config/read-environment.ts";
import { RefusedConfig } from "../config/refused-config.ts";
import { findTargetProblems } from "../config/find-target-problems.ts";
import { findUnguardedSleeps } from "../config/find-unguarded-sleeps.ts";
import { type ResolvedSecrets, resolveSecrets } from "../config/secrets.ts";
import { writtenResources } from "../config/written-resources.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { Closing } from "../host/closing.ts";
import { checkRole } from "../host/host-role.ts";
import { noPeers } from "../host/no-peers.ts";
import { type OpenedScaler, PluginOpener } from "../host/plugin-opener.ts";
import { StartFailure } from "../host/start-failure.ts";
import { type Terminal, write } from "../terminal.ts";
import { type ConfigOptions, overridesOf } from "./config-options.ts";

export interface CheckOptions extends ConfigOptions {
  /** Print the effective configuration. */
  readonly print?: boolean;
}

/** What a check found. */
interface Findings {
  readonly loaded?: LoadedConfig;
  /** What has to be mended. */
  readonly problems: readonly Problem[];
  /** What could not be checked. */
  readonly unchecked: readonly string[];
  readonly resources: number;
}

/** `dormouse check`: everything that can be known to be wrong before a start. Starts no resource. */
export async function check(options: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const findings = await find(options, terminal);
  await (options.output === "json" ? printJson(findings, options, terminal) : printText(findings, options, terminal));
  if (findings.problems.length > 0) return exitCode.usage;
  return findings.unchecked.length > 0 ? exitCode.failed : exitCode.done;
}

async function find(options: CheckOptions, terminal: Terminal): Promise<Findings> {
  const { clock } = terminal;
  const nothing = { problems: [], unchecked: [], resources: 0 };
  let loaded: LoadedConfig | undefined;
  try {
    const environment = await readEnvironment(terminal.environment, options.envFile);
    const overrides = overridesOf(options, environment);
    loaded = await readConfig(options, { mayBeVariables: true, environment, overrides });
    process.chdir(loaded.folder);
    checkWrittenResources(loaded);
    return { ...nothing, ...(await checkPlugins(loaded, { environment, clock })), loaded };
  } catch (error) {
    const found = loaded === undefined ? {} : { loaded };
    if (error instanceof RefusedConfig) return { ...nothing, ...found, problems: error.problems };
    if (error instanceof StartFailure) return { ...nothing, ...found, unchecked: [error.message] };
    throw error;
  }
}

type World = Pick<Terminal, "environment" | "clock">;

/** Opens every plugin as a start would, lists what there is, and closes all again. */
async function checkPlugins(
  loaded: LoadedConfig,
  { environment, clock }: World,
): Promise<Pick<Findings, "problems" | "unchecked" | "resources">> {
  const secrets = readSecrets(loaded, environment);
  const opener = new PluginOpener({ loaded, secrets, clock, logger: silentLogger });
  const closing = new Closing(silentLogger);
  try {
    const scalers = await opener.openScalers(opener.scalers());
    for (const { id, scaler } of scalers) closing.add(id, scaler);
    for (const source of await opener.openRouteSources()) closing.add("route source", source);
    const peers = await openPeers(loaded, secrets, opener, closing);
    const { builtInSources } = await import("../host/built-in-sources.ts");
    for (const source of (await opener.openMetricsSources(opener.metricsSources(), builtInSources(peers))).values())
      closing.add("metrics source", source);
    return await checkResources(loaded, opener, scalers);
  } finally {
    await closing[Symbol.asyncDispose]();
  }
}

/** What a cluster needs besides, asked for nothing. */
async function openPeers(
  loaded: LoadedConfig,
  secrets: ResolvedSecrets,
  opener: PluginOpener,
  closing: Closing,
): Promise<PeerDiscovery> {
  const { cluster, admin } = loaded.config;
  if (cluster.leader !== undefined && cluster.peers === undefined) checkRole(loaded, "autoscaler");
  const { builtInPeers } = await import("../host/open-cluster.ts");
  const credentials = credentialsOf(loaded, secrets);
  const clients = closing.add("clients", new PeerClients({ credentials, serverName: admin.tls?.serverName }));
  const peers = await opener.openPeers(builtInPeers, (address) => clients.connect(address));
  if (peers !== undefined) closing.add("peer discovery", peers);
  const leader = await opener.openLeader();
  if (leader !== undefined) closing.add("leader elector", leader);
  return peers ?? noPeers;
}

function credentialsOf(loaded: LoadedConfig, secrets: ResolvedSecrets): Credentials {
  try {
    return new Credentials(secrets);
  } catch (error) {
    throw loaded.refuse(error) ?? error;
  }
}

function readSecrets(loaded: LoadedConfig, environment: World["environment"]) {
  try {
    return resolveSecrets(loaded.config, { environment, folder: loaded.folder });
  } catch (error) {
    throw loaded.refuse(error) ?? error;
  }
}

async function checkResources(
  loaded: LoadedConfig,
  opener: PluginOpener,
  scalers: readonly OpenedScaler[],
): Promise<Pick<Findings, "problems" | "unchecked" | "resources">> {
  const lists = await Promise.all(scalers.map((each) => list(each, opener)));
  const places = new Map(writtenResources(loaded.config).map(({ ref, place }) => [formatRef(ref), place]));
  const resources = lists
    .flatMap(({ resources: found }) => found)
    .map((resource) => {
      const place = places.get(formatRef(resource.ref));
      return place === undefined ? resource : { ...resource, place };
    });
  const complete = new Set(lists.flatMap(({ scaler, failure }) => (failure === undefined ? [scaler] : [])));
  const issues = [
    ...resourceIssues(loaded.config, resources, complete),
    ...findTargetProblems(loaded.config, resources, scalers),
    ...(loaded.config.cluster.peers === undefined ? [] : findUnguardedSleeps(resources, scalers)),
  ];
  if (issues.length > 0) throw loaded.refuseIssues(issues);
  return { problems: [], unchecked: lists.flatMap(({ failure }) => failure ?? []), resources: resources.length };
}

interface Listing {
  readonly scaler: string;
  readonly resources: readonly PlacedResource[];
  readonly failure?: string;
}

/** @throws RefusedConfig where the plugin itself is what fails */
async function list({ id, place, scaler }: OpenedScaler, opener: PluginOpener): Promise<Listing> {
  try {
    const resources = await scaler.listResources();
    return { scaler: id, resources: resources.map(({ ref, policy }) => ({ ref: { scaler: id, ...ref }, policy })) };
  } catch (error) {
    const failure = toScalerError(error);
    const refused = opener.refuseFault(id, failure);
    if (refused !== undefined) throw refused;
    const what = `${place}: ${failure.code}: ${failure.message}`;
    return {
      scaler: id,
      resources: [],
      failure: `${what}; its resources, their routes and dependencies are not checked`,
    };
  }
}

async function printText(
  { loaded, problems, unchecked, resources }: Findings,
  options: CheckOptions,
  { stdout, stderr }: Terminal,
): Promise<void> {
  if (options.print === true && loaded !== undefined) await write(stdout, printConfig(loaded.config));
  for (const problem of problems) await write(stderr, `error: ${formatProblem(problem)}`);
  for (const message of unchecked) await write(stderr, `warning: ${message}`);
  if (problems.length > 0 || options.print === true) return;
  const count = loaded?.config.scalers.length ?? 0;
  const summary = `${count} ${count === 1 ? "scaler" : "scalers"}, ${resources} ${resources === 1 ? "resource" : "resources"}`;
  if (unchecked.length === 0) await write(stdout, `${loaded?.file ?? ""} is good: ${summary}`);
}

async function printJson(
  { loaded, problems, unchecked, resources }: Findings,
  options: CheckOptions,
  { stdout }: Terminal,
): Promise<void> {
  const config = options.print === true && loaded !== undefined ? { config: maskConfig(loaded.config) } : {};
  const ok = problems.length === 0 && unchecked.length === 0;
  await write(stdout, JSON.stringify({ ok, problems, unchecked, resources, ...config }, null, 2));
}
