import { randomUUID } from "node:crypto";
import { type Clock, type Logger, type ResourceFailure, toScalerError } from "@dormouse/core";
import { apiPath, type Cluster } from "@dormouse/kubernetes";
import type { Workload } from "./workload.ts";

/** Events that are on their way at once; more are dropped, they are for people only. */
const mostPending = 100;

/** Refusals that were told already, so that each is told once. */
const mostTold = 10_000;

/** Writes Kubernetes Events on workloads: wakes, sleeps, refusals. Never holds anything up, and never fails anything. */
export class ScaleEvents implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #host: string;
  readonly #pending = new Set<Promise<void>>();
  readonly #told = new Map<string, string>();

  constructor(
    cluster: Cluster,
    { clock, logger, host }: { readonly clock: Clock; readonly logger: Logger; readonly host: string },
  ) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#logger = logger;
    this.#host = host;
  }

  /** A count that was accepted; only a change from or to 0 is a wake or a sleep. */
  scaled(workload: Workload, from: number, to: number): void {
    if (from === 0 && to > 0) this.#write(workload, "Normal", "DormouseWake", `Woken: scaled from 0 to ${String(to)}`);
    if (from > 0 && to === 0)
      this.#write(workload, "Normal", "DormouseSleep", `Put to sleep: scaled from ${String(from)} to 0`);
  }

  /** Why a workload is left alone; told once for each reason, and again where it has another one. */
  refused(workload: Workload, { message }: ResourceFailure): void {
    const { uid } = workload.metadata;
    if (this.#told.get(uid) === message) return;
    this.#told.delete(uid);
    this.#told.set(uid, message);
    const [oldest] = this.#told.keys();
    if (this.#told.size > mostTold && oldest !== undefined) this.#told.delete(oldest);
    this.#write(workload, "Warning", "DormouseRefused", `Left alone: ${message}`);
  }

  /** The workload is not refused any more. */
  accepted({ metadata: { uid } }: Workload): void {
    this.#told.delete(uid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#pending);
  }

  #write(
    { kind, metadata: { namespace, name, uid, resourceVersion } }: Workload,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
  ): void {
    if (this.#pending.size >= mostPending) return;
    const at = new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${name.slice(0, 200)}.${randomUUID()}`, namespace },
      involvedObject: { apiVersion: "apps/v1", kind, namespace, name, uid, resourceVersion },
      ...{ reason, message: message.slice(0, 1_000), type, count: 1, firstTimestamp: at, lastTimestamp: at },
      source: { component: "dormouse", host: this.#host },
    };
    const written = this.#cluster
      .request<void>("POST", apiPath("v1", "events", { namespace }), { body: event, deadlineMs: 5_000 })
      .catch((error: unknown) => {
        const { code, message: problem } = toScalerError(error);
        this.#logger.debug({ code, error: problem }, "an Event could not be written");
      })
      .finally(() => this.#pending.delete(written));
    this.#pending.add(written);
  }
}
