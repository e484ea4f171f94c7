import { rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Logger } from "@dormouse/core";
import { z } from "zod";
import { errorMessage } from "./error-message.ts";
import type { ProcessTable } from "./process-table.ts";
import { shareRuns } from "./share-runs.ts";

const processIdentity = { pid: z.int().min(2), started: z.string().min(1) };

const childSchema = z.object({
  ...processIdentity,
  resource: z.string(),
  stopSignal: z.string(),
  stopGraceMs: z.number().nonnegative(),
});

/** What one scaler instance of one host leaves behind in its state file. */
export const recordSchema = z.object({
  format: z.literal(1),
  /** Within which the pids have meaning. */
  scope: z.string(),
  machine: z.string(),
  /** Begins the mark of every child. */
  instance: z.uuid(),
  owner: z.object({ ...processIdentity, pid: z.int().min(1) }),
  children: z.array(childSchema),
});

export type StateRecord = z.output<typeof recordSchema>;
export type RecordedChild = z.output<typeof childSchema>;

interface RecordOptions {
  readonly folder: string;
  readonly instance: string;
  readonly table: ProcessTable;
  readonly logger: Logger;
}

/**
 * Remembers the children of one scaler instance in a file, so that a later host can end them if this one is killed.
 *
 * The file exists before the first child, with the id that begins every child's mark. A child is added by pid and start
 * time right after its spawn; in between it is found by its mark alone. Written aside and renamed, so never half.
 */
export class OrphanRecord {
  readonly #path: string;
  readonly #options: RecordOptions;
  readonly #head: Omit<StateRecord, "children">;
  readonly #children = new Map<number, RecordedChild>();
  readonly #save: () => Promise<void>;
  #isClosed = false;

  private constructor(options: RecordOptions, head: Omit<StateRecord, "children">) {
    this.#options = options;
    this.#head = head;
    this.#path = join(options.folder, `${options.instance}.json`);
    this.#save = shareRuns(() => this.#write());
  }

  /** Writes the file for the first time; rejects where that fails. */
  static async open(options: RecordOptions): Promise<OrphanRecord> {
    const { table, instance } = options;
    const started = await table.startOf(process.pid);
    if (started === undefined) throw new Error("the operating system does not tell when this process started");
    const owner = { pid: process.pid, started };
    const scope = await table.scope();
    const record = new OrphanRecord(options, { format: 1, scope, machine: hostname(), instance, owner });
    await record.#write();
    return record;
  }

  /** Adds a running child. */
  async add(child: Omit<RecordedChild, "started">): Promise<void> {
    const { table } = this.#options;
    const started = await table.startOf(child.pid).catch(() => undefined);
    if (started === undefined) return;
    this.#children.set(child.pid, { ...child, started });
    await this.#saveOrWarn();
  }

  /** Takes out a child that has ended. */
  async remove(pid: number): Promise<void> {
    if (this.#children.delete(pid)) await this.#saveOrWarn();
  }

  /** Ends recording; the file stays only if something that could not be ended does. */
  async close(remains: boolean): Promise<void> {
    await this.#saveOrWarn();
    this.#isClosed = true;
    if (!remains) await rm(this.#path, { force: true }).catch((error: unknown) => this.#warn(error));
  }

  async #saveOrWarn(): Promise<void> {
    if (!this.#isClosed) await this.#save().catch((error: unknown) => this.#warn(error));
  }

  async #write(): Promise<void> {
    const record: StateRecord = { ...this.#head, children: [...this.#children.values()] };
    const aside = `${this.#path}.tmp`;
    await writeFile(aside, `${JSON.stringify(record)}\n`, { mode: 0o600 });
    await rename(aside, this.#path);
  }

  #warn(error: unknown): void {
    const message = "could not write what runs to the state file; were the host killed now, some of it could stay";
    this.#options.logger.warn({ error: errorMessage(error), file: this.#path }, message);
  }
}
