import { Worker } from "node:worker_threads";
import type { Clock, LocalRef, Policy, Resource, ResourceFailure, Target } from "@dormouse/core";
import { toFailure } from "./worker-error.ts";
import type { WorkerOptions } from "./worker-options.ts";

interface Run {
  readonly id: string;
  readonly worker: Worker;
  readonly ended: Promise<void>;
  isReady: boolean;
  isStopping: boolean;
}

/** One module, and the thread that runs it or none. Its thread follows the wanted count. */
export class WorkerResource {
  readonly ref: LocalRef;
  readonly #spec: WorkerOptions["resources"][number];
  readonly #policy: Policy;
  readonly #clock: Clock;
  readonly #createdAt: number;
  #updatedAt: number;
  #desired = 0;
  #writes = 0;
  #runs = 0;
  #run: Run | undefined;
  #failure: ResourceFailure | undefined;

  constructor(spec: WorkerOptions["resources"][number], policy: Policy, clock: Clock) {
    this.ref = { namespace: "default", name: spec.name };
    this.#spec = spec;
    this.#policy = policy;
    this.#clock = clock;
    this.#createdAt = clock.now();
    this.#updatedAt = this.#createdAt;
  }

  /** Counts accepted writes, and nothing else. */
  get version(): string {
    return `${this.#createdAt}.${this.#writes}`;
  }

  /** Resolves once no thread runs any more. */
  get ended(): Promise<void> {
    return this.#run?.ended ?? Promise.resolve();
  }

  /** Everything in one synchronous step, which is what makes comparing and setting atomic here. */
  setScale(replicas: number): string {
    this.#desired = replicas;
    this.#writes += 1;
    this.#updatedAt = this.#clock.now();
    this.#failure = undefined;
    this.#follow();
    return this.version;
  }

  toResource(): Resource {
    return {
      ref: this.ref,
      desired: this.#desired,
      ready: this.#run?.isReady === true ? 1 : 0,
      wakeReplicas: 1,
      version: this.version,
      ...(this.#failure !== undefined && { failure: this.#failure }),
      ports: [{ name: "http", number: this.#spec.port, protocol: "http" }],
      policy: this.#policy,
      createdAt: this.#createdAt,
      updatedAt: this.#updatedAt,
    };
  }

  /** A thread that is being stopped takes no more requests, however healthy it looks. */
  targets(): readonly Target[] {
    if (this.#run === undefined || this.#run.isStopping) return [];
    return [{ id: this.#run.id, host: "127.0.0.1", port: this.#spec.port }];
  }

  #follow(): void {
    if (this.#desired === 1) this.#run ??= this.#start();
    else if (this.#run !== undefined) this.#stop(this.#run);
  }

  #start(): Run {
    this.#runs += 1;
    const worker = new Worker(this.#spec.module, { env: { PORT: String(this.#spec.port) } });
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const run: Run = { id: `${this.version}.${this.#runs}`, worker, ended, isReady: false, isStopping: false };
    let failed: unknown;
    worker.once("online", () => (run.isReady = true));
    worker.once("error", (error) => (failed = error));
    worker.once("exit", (exitCode) => {
      resolve();
      this.#onEnd(run, failed, exitCode);
    });
    return run;
  }

  #stop(run: Run): void {
    run.isStopping = true;
    void run.worker.terminate();
  }

  /** A wake that came while the thread was stopping starts the next one now: two cannot have the same port. */
  #onEnd(run: Run, failed: unknown, exitCode: number): void {
    this.#run = undefined;
    if (run.isStopping) this.#follow();
    else if (this.#desired === 1) this.#failure = toFailure(failed, exitCode);
  }
}
