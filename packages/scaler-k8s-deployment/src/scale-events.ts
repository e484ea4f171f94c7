import { randomUUID } from "node:crypto";
import {
  type Clock,
  type Logger,
  type Milliseconds,
  type ResourceFailure,
  type ScalerContext,
  toScalerError,
} from "@dormouse/core";
import { apiPath, type Cluster } from "@dormouse/kubernetes";
import type { Workload } from "./workload.ts";

/** Events that are on their way at once; more are dropped, they are for people only. */
const mostPending = 100;

/** Refusals that are remembered, so that each is told once. */
const mostTold = 10_000;

/** How long something has to be wrong: objects that are made together come one after the other. */
const toldAfterMs: Milliseconds = 1_000;

interface Refusal {
  readonly message: string;
  readonly since: Milliseconds;
  readonly isTold: boolean;
}

/** Writes Kubernetes Events on workloads: wakes, sleeps, refusals. Never holds anything up, and never fails anything. */
export class ScaleEvents implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #host: string;
  readonly #pending = new Set<Promise<void>>();
  readonly #refusals = new Map<string, Refusal>();
  readonly #isOn: boolean;

  constructor(
    cluster: Cluster,
    {
      clock,
      logger,
      host,
      isOn,
    }: Pick<ScalerContext, "clock" | "logger"> & { readonly host: string; readonly isOn: boolean },
  ) {
    this.#isOn = isOn;
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

  /**
   * Why a workload is left alone; told once for each reason, and again where it has another one.
   * @returns after how long it has to be asked again, to be told; undefined: it has been
   */
  refused(workload: Workload, { message }: ResourceFailure): Milliseconds | undefined {
    const { uid } = workload.metadata;
    const now = this.#clock.monotonic();
    const known = this.#refusals.get(uid);
    const refusal = known?.message === message ? known : { message, since: now, isTold: false };
    const leftMs = refusal.since + toldAfterMs - now;
    const isDue = !refusal.isTold && leftMs <= 0;
    this.#refusals.delete(uid);
    this.#refusals.set(uid, isDue ? { ...refusal, isTold: true } : refusal);
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size > mostTold && oldest !== undefined) this.#refusals.delete(oldest);
    if (isDue) this.#write(workload, "Warning", "DormouseRefused", `Left alone: ${message}`);
    return refusal.isTold || isDue ? undefined : leftMs;
  }

  /** The workload is not refused any more. */
  accepted({ metadata: { uid } }: Workload): undefined {
    this.#refusals.delete(uid);
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
    if (!this.#isOn || this.#pending.size >= mostPending) return;
    const at = new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${name.slice(0, 200).replace(/[-.]+$/, "")}.${randomUUID()}`, namespace },
      involvedObject: { apiVersion: "apps/v1", kind, namespace, name, uid, resourceVersion },
      reason,
      message: message.slice(0, 1_000),
      type,
      count: 1,
      firstTimestamp: at,
      lastTimestamp: at,
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
