import type { Clock, LocalRef, Milliseconds } from "@dormouse/core";
import type { PodObject } from "./objects.ts";
import { isLiving, ownerKey, ownerKeyOf } from "./pod.ts";
import type { WatchedCluster } from "./watched-cluster.ts";
import type { WorkloadApi } from "./workload-api.ts";
import type { Workload } from "./workload.ts";

/** From one question to the controllers to the next, for one workload. */
const askEveryMs: Milliseconds = 20;

/** Workloads that are remembered; the one that was asked for longest ago is asked anew. */
const mostRemembered = 20_000;

interface Settled {
  readonly generation: number;
  /** Uids of pods that the watch still shows and the server does not, or only as ending. */
  readonly doomed: ReadonlySet<string>;
}

/**
 * Which pods no stop that was accepted so far can still end. A count of 0 that was raised again at once may or may not
 * have been seen by the controllers: until they have acted on the newest generation, and the pods were read after that,
 * no pod is certain. From then on the watch alone tells.
 */
export class SettledPods {
  readonly #watched: WatchedCluster;
  readonly #api: WorkloadApi;
  readonly #clock: Clock;
  readonly #settled = new Map<string, Settled>();
  readonly #asking = new Map<string, Promise<void>>();
  readonly #askedAt = new Map<string, Milliseconds>();

  constructor(watched: WatchedCluster, api: WorkloadApi, clock: Clock) {
    this.#watched = watched;
    this.#api = api;
    this.#clock = clock;
  }

  /** Living pods with an address that are certain now; none while that is still to be found out. */
  async of(ref: LocalRef, workload: Workload, signal: AbortSignal | undefined): Promise<readonly PodObject[]> {
    if (
      (workload.spec.replicas ?? 0) === 0 &&
      this.#api.knownGeneration(workload) === (workload.metadata.generation ?? 0)
    )
      return [];
    if (this.#doomedNow(workload) === undefined) await heeding(this.#ask(ref, workload), signal);
    const doomed = this.#doomedNow(workload);
    if (doomed === undefined) return [];
    return this.#watched.podsOf(workload).filter((pod) => isCandidate(pod) && !doomed.has(pod.metadata.uid));
  }

  #doomedNow(workload: Workload): ReadonlySet<string> | undefined {
    const settled = this.#settled.get(workload.metadata.uid);
    return settled?.generation === this.#api.knownGeneration(workload) ? settled.doomed : undefined;
  }

  /** One question for all that wait for its answer: it belongs to none of them, and ends by the client's own deadline. */
  #ask(ref: LocalRef, workload: Workload): Promise<void> {
    const { uid } = workload.metadata;
    const asking = this.#asking.get(uid);
    if (asking !== undefined) return asking;
    if (this.#clock.monotonic() - (this.#askedAt.get(uid) ?? -Infinity) < askEveryMs) return Promise.resolve();
    remember(this.#askedAt, uid, this.#clock.monotonic());
    const asked = this.#settle(ref, workload).finally(() => this.#asking.delete(uid));
    // Who waited may have left.
    asked.catch(() => {});
    this.#asking.set(uid, asked);
    return asked;
  }

  async #settle(ref: LocalRef, workload: Workload): Promise<void> {
    const generation = this.#api.knownGeneration(workload);
    if (!(await this.#api.isObserved(ref, generation, undefined))) return;
    // What the watch shows before the server is asked, and the server does not show any more, is gone; what the watch
    // shows only after that may be younger than the answer.
    const shown = this.#watched.podsOf(workload).map(({ metadata }) => metadata.uid);
    const pods = await this.#api.pods(workload, undefined);
    const living = new Set(pods.filter(isLiving).map(({ metadata }) => metadata.uid));
    const doomed = shown.filter((uid) => !living.has(uid));
    const own = pods
      .filter((pod) => ownerKeyOf(pod) === ownerKey(workload) && !isLiving(pod))
      .map(({ metadata }) => metadata.uid);
    remember(this.#settled, workload.metadata.uid, { generation, doomed: new Set([...doomed, ...own]) });
  }
}

/** The same, unless the signal aborts before. */
async function heeding(asked: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return asked;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([asked, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function isCandidate(pod: PodObject): boolean {
  return isLiving(pod) && pod.status?.podIP !== undefined && pod.status.podIP !== "";
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > mostRemembered && oldest !== undefined) map.delete(oldest);
}
