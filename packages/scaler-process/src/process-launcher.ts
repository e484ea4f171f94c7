import { randomUUID } from "node:crypto";
import { formatRef, type LocalRef, type ScalerContext, ScalerError } from "@dormouse/core";
import { ChildInstance, type InstanceEvents } from "./child-instance.ts";
import { errorMessage } from "./error-message.ts";
import { isPortFree } from "./is-port-free.ts";
import { OrphanRecord } from "./orphan-record.ts";
import { PortAllocator } from "./port-allocator.ts";
import { toPortTakenError } from "./process-error.ts";
import type { ProcessOptions, ResourceSpec } from "./process-options.ts";
import type { ProcessTable } from "./process-table.ts";
import { reapOrphans } from "./reap-orphans.ts";
import type { ResourceLog } from "./resource-log.ts";
import { openStateFolder } from "./state-folder.ts";

/** What to launch, and who hears of it. */
export interface LaunchOrder {
  readonly ref: LocalRef;
  readonly spec: ResourceSpec;
  /** The fixed or reserved port; undefined: any free one. */
  readonly port: number | undefined;
  /** What stands before its lines in the log. */
  readonly label: string;
  readonly log: ResourceLog;
  readonly events: InstanceEvents;
}

/** Starts processes on free ports and sees to it that none outlives the host. */
export class ProcessLauncher implements AsyncDisposable {
  /** Begins every id and version of this scaler instance. */
  readonly instance = randomUUID();
  /** Gives each instance its port, unless that is fixed. */
  readonly ports: PortAllocator;
  readonly #context: ScalerContext;
  readonly #table: ProcessTable;
  readonly #running = new Set<ChildInstance>();
  readonly #ending = new Set<Promise<void>>();
  readonly #killAll = (): void => {
    for (const instance of this.#running) instance.kill();
  };
  #options: ProcessOptions;
  #record: OrphanRecord | undefined;
  #orphansGone: Promise<void> = Promise.resolve();
  #launched = 0;
  #somethingRemains = false;

  private constructor(options: ProcessOptions, context: ScalerContext, table: ProcessTable) {
    this.#options = options;
    this.#context = context;
    this.#table = table;
    this.ports = new PortAllocator(options.ports, fixedPortsOf(options));
  }

  /** Opens the state file, and begins to end what killed hosts left behind. Rejects with `SCALER_BAD_OPTIONS`. */
  static async open(options: ProcessOptions, context: ScalerContext, table: ProcessTable): Promise<ProcessLauncher> {
    const launcher = new ProcessLauncher(options, context, table);
    await launcher.#open();
    return launcher;
  }

  /** Takes new options for what is launched from now on; a new `stateDir` counts for the next host. */
  configure(options: ProcessOptions): void {
    this.#options = options;
    this.ports.configure(options.ports, fixedPortsOf(options));
  }

  /** Starts a process. Rejects with `SCALER_START_FAILED`. */
  async launch(order: LaunchOrder): Promise<ChildInstance> {
    // What a killed host left running may hold the port, or a file that only one process may have open.
    await this.#orphansGone;
    const { spec } = order;
    const port = spec.port ?? (await this.ports.take(order.port));
    try {
      if (spec.port !== undefined && !(await isPortFree(port, spec.host))) throw toPortTakenError(port);
      return this.#follow(await this.#start(order, port), order);
    } catch (error) {
      this.ports.release(port);
      throw error;
    }
  }

  /** Ends all bookkeeping. Everything that was launched must have been stopped; its end is waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orphansGone;
    while (this.#ending.size > 0) await Promise.all(this.#ending);
    await this.#record?.close(this.#somethingRemains);
    await this.ports[Symbol.asyncDispose]();
    process.off("exit", this.#killAll);
  }

  async #open(): Promise<void> {
    const { clock, logger } = this.#context;
    const folder = await openStateFolder(this.#options.stateDir);
    this.#record = await this.#openRecord(folder);
    this.#orphansGone = reapOrphans({ folder, table: this.#table, clock, logger });
    // A host that ends without disposing, by process.exit or an uncaught error, has only this moment left.
    process.on("exit", this.#killAll);
  }

  async #openRecord(folder: string): Promise<OrphanRecord> {
    const { logger } = this.#context;
    try {
      return await OrphanRecord.open({ folder, instance: this.instance, table: this.#table, logger });
    } catch (error) {
      const message = `stateDir: ${folder} cannot remember running processes (${errorMessage(error)}): name another folder`;
      throw new ScalerError("SCALER_BAD_OPTIONS", message, { cause: error });
    }
  }

  #start({ ref, spec, label, log, events }: LaunchOrder, port: number): Promise<ChildInstance> {
    const { clock, logger, id: scaler } = this.#context;
    this.#launched += 1;
    return ChildInstance.start({
      id: `${this.instance}.${this.#launched}`,
      spec,
      port,
      label,
      lineBytes: this.#options.logs.lineBytes,
      log,
      logger: logger.child({ resource: formatRef({ scaler, ...ref }) }),
      clock,
      table: this.#table,
      events,
    });
  }

  #follow(instance: ChildInstance, { ref, spec }: LaunchOrder): ChildInstance {
    const resource = formatRef({ scaler: this.#context.id, ...ref });
    const { stopSignal, stopGrace: stopGraceMs } = spec;
    const recorded = this.#record?.add({ pid: instance.pid, resource, stopSignal, stopGraceMs });
    this.#running.add(instance);
    const ending = this.#forgetOnceEnded(instance, recorded).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    return instance;
  }

  async #forgetOnceEnded(instance: ChildInstance, recorded: Promise<void> | undefined): Promise<void> {
    const remaining = await instance.ended;
    this.#running.delete(instance);
    this.ports.release(instance.port);
    await recorded;
    if (remaining.length === 0) await this.#record?.remove(instance.pid);
    else this.#somethingRemains = true;
  }
}

function fixedPortsOf({ resources }: ProcessOptions): ReadonlySet<number> {
  return new Set(resources.map(({ port }) => port).filter((port) => port !== undefined));
}
