import { setTimeout as sleep } from "node:timers/promises";
import { endPod, makePodReady } from "./make-pod-ready.ts";
import type { ApiList, PodObject } from "./test-api.ts";
import type { TestNamespace } from "./test-namespace.ts";

/** How the kubelet of a test treats Pods. */
export interface TestKubeletOptions {
  /** Whether a Pod may start now; all may unless given. Asked again every round. */
  readonly mayStart?: (pod: PodObject) => boolean;
  /** Whether a Pod that is being deleted may end now; all may unless given. */
  readonly mayEnd?: (pod: PodObject) => boolean;
  /** Address of a Pod; one of 192.0.2.0/24 unless given. */
  readonly podIp?: (pod: PodObject) => string;
}

/** Pause between two rounds. */
const roundMs = 50;

/**
 * Plays scheduler and kubelet for a namespace: Pods that appear become ready, Pods that are deleted go away. Disposal
 * ends it and rejects with what went wrong meanwhile.
 */
export function runTestKubelet(namespace: TestNamespace, options: TestKubeletOptions = {}): AsyncDisposable {
  const { mayStart = () => true, mayEnd = () => true, podIp } = options;
  const stopped = new AbortController();
  const treat = async (pod: PodObject): Promise<void> => {
    const { name } = pod.metadata;
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (mayEnd(pod)) await endPod(namespace, name);
    } else if (pod.status.phase === "Pending" && mayStart(pod)) {
      await makePodReady(namespace, name, podIp === undefined ? {} : { podIp: podIp(pod) });
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const { items } = await namespace.api.get<ApiList<PodObject>>(`/api/v1/namespaces/${namespace.name}/pods`);
      // A Pod may go away under its kubelet's hands.
      for (const pod of items) await treat(pod).catch(ignoreMissing);
      await sleep(roundMs, undefined, { signal: stopped.signal }).catch(() => {});
    }
  };
  const running = loop();
  // Told at the disposal.
  running.catch(() => {});
  return {
    [Symbol.asyncDispose]: async () => {
      stopped.abort();
      await running;
    },
  };
}

function ignoreMissing(error: unknown): void {
  const status = (error as { readonly status?: number }).status;
  if (status !== 404 && status !== 409) throw error;
}
