import PQueue from "p-queue";

/** What an autoscaler does with a resource. */
export type OperationKind = "sleep" | "reconcile" | "scale";

interface Operation {
  readonly kind: OperationKind;
  readonly ended: Promise<unknown>;
}

/**
 * The operations of one autoscaler: at most one for each resource, and so many at once. What waits for its turn is
 * dropped at the next tick, which decides anew. Operations that are asked for have a queue of their own and are never dropped.
 */
export class Operations {
  readonly #queues: Readonly<Record<OperationKind | "asked", PQueue>>;
  readonly #running = new Map<string, Operation>();

  /** @param concurrency of sleeps, of reconciliations, of changes of counts and of sleeps that are asked for, each */
  constructor(concurrency: number) {
    this.#queues = {
      sleep: new PQueue({ concurrency }),
      reconcile: new PQueue({ concurrency }),
      scale: new PQueue({ concurrency }),
      asked: new PQueue({ concurrency }),
    };
  }

  set concurrency(concurrency: number) {
    for (const queue of Object.values(this.#queues)) queue.concurrency = concurrency;
  }

  /** What runs for a resource now. */
  of(key: string): OperationKind | undefined {
    return this.#running.get(key)?.kind;
  }

  /** Runs it when its turn comes, unless the next tick comes first or something runs for the resource then. */
  offer(kind: OperationKind, key: string, act: () => Promise<unknown>): void {
    const run = async (): Promise<void> => {
      if (!this.#running.has(key)) await this.#run(kind, key, act);
    };
    this.#queues[kind].add(run).catch(() => {}); // dropped, or failed and reported by the act itself
  }

  /** Runs it when its turn comes and what runs for the resource has ended. */
  demand<Result>(key: string, act: () => Promise<Result>): Promise<Result> {
    const run = async (): Promise<Result> => {
      while (this.#running.has(key)) await this.#running.get(key)?.ended;
      return this.#run("sleep", key, act);
    };
    return this.#queues.asked.add(run);
  }

  /** Drops what waits for its turn. */
  drop(): void {
    this.#queues.sleep.clear();
    this.#queues.reconcile.clear();
    this.#queues.scale.clear();
  }

  /** Drops all that waits, asked for or not, and waits for what runs. */
  async end(): Promise<void> {
    for (const queue of Object.values(this.#queues)) queue.clear();
    await Promise.all(Object.values(this.#queues).map((queue) => queue.onPendingZero()));
    await Promise.all([...this.#running.values()].map((operation) => operation.ended));
  }

  #run<Result>(kind: OperationKind, key: string, act: () => Promise<Result>): Promise<Result> {
    const result = act().finally(() => this.#running.delete(key));
    this.#running.set(key, { kind, ended: result.catch(() => {}) });
    return result;
  }
}
