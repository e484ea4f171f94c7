import {
  type CallOptions,
  type Capabilities,
  formatRef,
  type LocalRef,
  type Resource,
  type ResourceChange,
  type ResourceScaler,
  type ScalerContext,
  ScalerError,
  type SetScaleOptions,
  type Target,
} from "@dormouse/core";
import { ChangeFeed } from "./change-feed.ts";
import { toAbortedError, toConflictError, toNotFoundError } from "./process-error.ts";
import { ProcessLauncher } from "./process-launcher.ts";
import type { ProcessOptions } from "./process-options.ts";
import { type Configured, portName, ProcessResource } from "./process-resource.ts";
import { readConfigured, type ReadResource } from "./read-configured.ts";
import { ReservedPorts } from "./reserved-ports.ts";
import { openProcessTable } from "./open-process-table.ts";
import { ResourceLog } from "./resource-log.ts";

/**
 * Local child processes. Wanted counts and versions are kept in memory, since the processes do not outlive the host;
 * every change is one synchronous step, which makes comparing and setting atomic.
 */
export class ProcessScaler implements ResourceScaler {
  readonly capabilities: Capabilities = {
    replicas: "many",
    watch: true,
    routing: false,
    compareAndSet: true,
    settleWithinMs: 0,
  };
  readonly #context: ScalerContext;
  readonly #launcher: ProcessLauncher;
  readonly #resources = new Map<string, ProcessResource>();
  readonly #logs = new Map<string, ResourceLog>();
  readonly #ports: ReservedPorts;
  readonly #feed = new ChangeFeed();
  #options: ProcessOptions;
  #versions = 0;
  #disposal: Promise<void> | undefined;

  private constructor(options: ProcessOptions, context: ScalerContext, launcher: ProcessLauncher) {
    this.#options = options;
    this.#context = context;
    this.#launcher = launcher;
    this.#ports = new ReservedPorts(launcher.ports);
  }

  /**
   * Opens a scaler; nothing is started. Rejects with `SCALER_UNSUPPORTED` on Windows, with `SCALER_BAD_OPTIONS` where no
   * state folder can be had, and with a ConfigError for a wrong policy or a command that does not exist.
   */
  static async open(
    options: ProcessOptions,
    context: ScalerContext,
    platform: NodeJS.Platform = process.platform,
  ): Promise<ProcessScaler> {
    refuseWindows(platform);
    const configured = await readConfigured(options, context.defaults);
    const launcher = await ProcessLauncher.open(options, context, openProcessTable(platform));
    const scaler = new ProcessScaler(options, context, launcher);
    try {
      await scaler.#configureAll(configured);
      return scaler;
    } catch (error) {
      await launcher[Symbol.asyncDispose]();
      throw error;
    }
  }

  async listResources({ signal }: CallOptions = {}): Promise<readonly Resource[]> {
    this.#begin(signal);
    return this.#list();
  }

  async getResource(ref: LocalRef, { signal }: CallOptions = {}): Promise<Resource | undefined> {
    this.#begin(signal);
    return this.#resources.get(keyOf(ref))?.toResource();
  }

  async *watchResources({ signal }: CallOptions = {}): AsyncGenerator<ResourceChange> {
    this.#begin(signal);
    yield* this.#feed.watch(() => this.#list(), signal);
  }

  async setScale(
    ref: LocalRef,
    replicas: number,
    { signal, ifVersion }: SetScaleOptions = {},
  ): Promise<{ readonly version: string }> {
    this.#begin(signal);
    const resource = this.#find(ref);
    if (ifVersion !== undefined && ifVersion !== resource.version) {
      throw toConflictError(ref, ifVersion, resource.version);
    }
    return { version: resource.setScale(replicas) };
  }

  async resolveTargets(
    ref: LocalRef,
    port: string | undefined,
    { signal }: CallOptions = {},
  ): Promise<readonly Target[]> {
    this.#begin(signal);
    const resource = this.#find(ref);
    if (port === undefined || port === portName) return resource.targets();
    throw new ScalerError("SCALER_BAD_ARGUMENT", `${ref.name} has no port "${port}": its one port is "${portName}"`);
  }

  /**
   * Takes other options. Running processes stay; a changed specification counts from their next start. A resource that
   * is configured no more is not listed any more and runs on until it is scaled to zero.
   */
  async reconfigure(options: ProcessOptions, context: Pick<ScalerContext, "defaults">): Promise<void> {
    this.#begin(undefined);
    const configured = await readConfigured(options, context.defaults);
    this.#launcher.configure(options);
    try {
      await this.#configureAll(configured);
      this.#options = options;
    } catch (error) {
      this.#launcher.configure(this.#options);
      throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    this.#feed[Symbol.dispose]();
    await Promise.all([...this.#resources.values()].map((resource) => resource.end()));
    await this.#launcher[Symbol.asyncDispose]();
    for (const log of this.#logs.values()) log[Symbol.dispose]();
  }

  #begin(signal: AbortSignal | undefined): void {
    if (this.#disposal !== undefined) throw new ScalerError("SCALER_DISPOSED", "the scaler has been closed");
    if (signal?.aborted === true) throw toAbortedError(signal);
  }

  #find(ref: LocalRef): ProcessResource {
    const resource = this.#resources.get(keyOf(ref));
    if (resource === undefined) throw toNotFoundError(ref);
    return resource;
  }

  #list(): readonly Resource[] {
    const listed = [...this.#resources.values()].filter(({ isRemoved }) => !isRemoved);
    return listed.map((resource) => resource.toResource());
  }

  /** All or nothing: what may fail comes first, and the rest is one synchronous step. */
  async #configureAll(configured: readonly ReadResource[]): Promise<void> {
    const ports = await this.#ports.prepare(new Map(configured.map(({ spec }) => [keyOf(spec), spec.port])));
    this.#begin(undefined);
    this.#ports.commit(ports);
    for (const [key, resource] of this.#resources) if (!ports.has(key)) this.#remove(resource);
    for (const each of configured) {
      const port = ports.get(keyOf(each.spec));
      if (port !== undefined) this.#configure({ ...each, port });
    }
  }

  #configure(configured: Configured): void {
    const key = keyOf(configured.spec);
    const known = this.#resources.get(key);
    if (known !== undefined) return known.configure(configured);
    const resource = this.#addResource(configured);
    this.#resources.set(key, resource);
    this.#feed.set(resource.toResource());
  }

  #addResource(configured: Configured): ProcessResource {
    const { spec } = configured;
    const ref = { namespace: spec.namespace, name: spec.name };
    const { clock, id: scaler } = this.#context;
    const logger = this.#context.logger.child({ resource: formatRef({ scaler, ...ref }) });
    const log = new ResourceLog(logger, clock, () => this.#options.logs);
    this.#logs.set(keyOf(ref), log);
    return new ProcessResource(configured, {
      clock,
      nextVersion: () => this.#nextVersion(),
      launch: (present, port, label, events) => this.#launcher.launch({ ref, spec: present, port, label, log, events }),
      onChange: (changed) => this.#onChange(changed),
    });
  }

  #remove(resource: ProcessResource): void {
    if (resource.isRemoved) return;
    resource.remove();
    this.#feed.gone(resource.ref);
    this.#onChange(resource);
  }

  #onChange(resource: ProcessResource): void {
    if (!resource.isRemoved) return this.#feed.set(resource.toResource());
    const key = keyOf(resource.ref);
    if (!resource.isGone || this.#resources.get(key) !== resource) return;
    this.#resources.delete(key);
    this.#ports.drop(key);
    this.#logs.get(key)?.[Symbol.dispose]();
    this.#logs.delete(key);
  }

  /** Never the same again, not even in a later host. */
  #nextVersion(): string {
    this.#versions += 1;
    return `${this.#launcher.instance}.${this.#versions}`;
  }
}

function keyOf({ namespace, name }: LocalRef): string {
  return `${namespace}/${name}`;
}

function refuseWindows(platform: NodeJS.Platform): void {
  if (platform !== "win32") return;
  const message = "the scaler process needs process groups and signals, which Windows lacks: run Dormouse in WSL";
  throw new ScalerError("SCALER_UNSUPPORTED", message);
}
