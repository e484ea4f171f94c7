import { ApiFailure } from "./test-api.ts";
import type { PodObject } from "./test-api.ts";
import type { TestNamespace } from "./test-namespace.ts";

/** Node that Pods of tests are on: an object and nothing else, without which no EndpointSlice would list them. */
export const testNode = "dormouse-test-node";

/** What a Pod is said to be. */
export interface PodSaid {
  /** Its address; unless given the one that it has, else one of 192.0.2.0/24. Loopback is refused where endpoints are made of it. */
  readonly podIp?: string;
  /** Whether it is ready; it is unless given. */
  readonly isReady?: boolean;
}

let last = 0;

/** Puts a Pod on a node and says that it runs, as scheduler and kubelet would. Gives it as it is then. */
export async function makePodReady(
  { api, name: namespace }: TestNamespace,
  pod: string,
  { podIp, isReady = true }: PodSaid = {},
): Promise<PodObject> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}`;
  await makeNode();
  await bind();
  const { spec, status: former } = await api.get<PodObject>(path);
  const podIP = podIp ?? former.podIP ?? nextAddress();
  const now = new Date().toISOString();
  const status = isReady ? "True" : "False";
  const conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
    type,
    status: type === "PodScheduled" || type === "Initialized" ? "True" : status,
    lastTransitionTime: now,
  }));
  const containerStatuses = spec.containers.map(({ name, image }) => ({
    name,
    image,
    imageID: image,
    ready: isReady,
    restartCount: 0,
    state: { running: { startedAt: now } },
  }));
  // Addresses would be added to those that are there.
  const podIPs = [{ $patch: "replace" }, { ip: podIP }];
  const said = { phase: "Running", podIP, podIPs, startTime: now, conditions, containerStatuses };
  return api.patch(`${path}/status`, { status: said }, "strategic-merge");

  async function makeNode(): Promise<void> {
    await api.post("/api/v1/nodes", { metadata: { name: testNode } }).catch(ignoreConflict);
  }

  async function bind(): Promise<void> {
    // It may be on a node already.
    const target = { kind: "Node", name: testNode };
    await api.post(`${path}/binding`, { metadata: { name: pod }, target }).catch(ignoreConflict);
  }
}

/** Lets go of a Pod that is being deleted, as the kubelet does once its containers have ended. */
export async function endPod({ api, name: namespace }: TestNamespace, pod: string): Promise<void> {
  await api.delete(`/api/v1/namespaces/${namespace}/pods/${pod}?gracePeriodSeconds=0`);
}

function ignoreConflict(error: unknown): void {
  if (!(error instanceof ApiFailure) || error.status !== 409) throw error;
}

/** An address that is meant for documentation, another one each time. */
function nextAddress(): string {
  last = (last % 254) + 1;
  return `192.0.2.${String(last)}`;
}
