import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestPlatform } from "@dormouse/conformance";
import type { LocalRef, Target } from "@dormouse/core";
import {
  type ApiList,
  createNamespace,
  type PodObject,
  runTestKubelet,
  slicesPath,
  type TestNamespace,
} from "@dormouse/test-kubernetes";
import { inject } from "vitest";
import { openFlakyLink } from "./flaky-link.ts";
import { deployment, service, statefulSet } from "./manifests.ts";
import { openStandInDlx, type StandInDlx } from "./stand-in-dlx.ts";

/** Where the rules of one kit are judged, one after the other: each with workloads of its own. */
export interface Arena extends AsyncDisposable {
  /** @param prefix `statefulset:` for StatefulSets */
  platform(prefix: "" | "statefulset:"): Promise<TestPlatform>;
}

/** Opens one: a namespace, DLXs, a kubelet, and a link to the API server that can be cut. */
export async function openArena(): Promise<Arena> {
  const { kubeconfig } = inject("kubernetes");
  const folder = await mkdtemp(join(tmpdir(), "dormouse-k8s-"));
  const namespace = await createNamespace(kubeconfig);
  const dlx = await openStandInDlx(namespace, 300);
  const held = new Set<string>();
  const broken = new Set<string>();
  const mayStart = (pod: PodObject): boolean => !held.has(appOf(pod)) && !broken.has(appOf(pod));
  const kubelet = runTestKubelet(namespace, { mayStart });
  const failing = runFailures(namespace, (pod) => broken.has(appOf(pod)));
  let rules = 0;
  return {
    platform: (prefix) => {
      rules += 1;
      return openPlatform({ namespace, dlx, folder, held, broken }, `${prefix}web-${String(rules)}`);
    },
    [Symbol.asyncDispose]: async () => {
      await failing[Symbol.asyncDispose]();
      await kubelet[Symbol.asyncDispose]();
      await dlx[Symbol.asyncDispose]();
      await namespace[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Ground {
  readonly namespace: TestNamespace;
  readonly dlx: StandInDlx;
  readonly folder: string;
  /** Labels of pods that may not start. */
  readonly held: Set<string>;
  readonly broken: Set<string>;
}

async function openPlatform({ namespace, dlx, folder, held, broken }: Ground, name: string): Promise<TestPlatform> {
  const link = await openFlakyLink(namespace.kubeconfig, folder);
  const ref = { namespace: namespace.name, name };
  const other = { namespace: namespace.name, name: `${plainName(ref)}-other` };
  for (const each of [ref, other]) await create(namespace, each);
  const options = {
    kubeconfig: link.kubeconfig,
    namespaces: [namespace.name],
    dlx: dlx.options,
    state: { namespace: namespace.name },
  };
  return {
    options,
    ref,
    other,
    close: async () => {
      await link[Symbol.asyncDispose]();
      for (const each of [ref, other]) {
        await namespace.api.delete(`${pathOf(each)}?propagationPolicy=Background`);
        await namespace.api.delete(`/api/v1/namespaces/${namespace.name}/services/${plainName(each)}`);
      }
    },
    reach: (target) => isRunning(namespace, target),
    changeElsewhere: async (each) => {
      const annotations = { "example.com/changed": String(Math.random()) };
      await namespace.api.patch(pathOf(each), { spec: { template: { metadata: { annotations } } } });
    },
    breakStart: async (each) => turnOn(broken, each),
    holdStart: async (each) => turnOn(held, each),
    remove: async (each) => {
      await namespace.api.delete(`${pathOf(each)}?propagationPolicy=Background`);
      return () => createWorkload(namespace, each);
    },
    endInstance: async (target) => {
      const pod = await podOf(namespace, target);
      if (pod !== undefined)
        await namespace.api.delete(`${podsPath(namespace)}/${pod.metadata.name}?gracePeriodSeconds=0`);
    },
    stallPlatform: async () => {
      link.set("stalled");
      return async () => link.set("open");
    },
    cutPlatform: async () => {
      link.set("cut");
      return async () => link.set("open");
    },
    routedTo: (each) => routedTo(namespace, each),
  };
}

function turnOn(set: Set<string>, ref: LocalRef): () => Promise<void> {
  set.add(plainName(ref));
  return async () => void set.delete(plainName(ref));
}

async function create(namespace: TestNamespace, ref: LocalRef): Promise<void> {
  await namespace.api.post(`/api/v1/namespaces/${namespace.name}/services`, service(plainName(ref)));
  await createWorkload(namespace, ref);
}

async function createWorkload(namespace: TestNamespace, ref: LocalRef): Promise<void> {
  const path = pathOf(ref);
  const manifest = isStatefulSet(ref) ? statefulSet(plainName(ref)) : deployment(plainName(ref));
  await namespace.api.post(path.slice(0, path.lastIndexOf("/")), manifest);
}

/** Says of pods that may not start what a kubelet would. */
function runFailures(namespace: TestNamespace, isBroken: (pod: PodObject) => boolean): AsyncDisposable {
  const stop = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const { items } = await namespace.api.get<ApiList<PodObject>>(podsPath(namespace));
      for (const pod of items.filter((each) => isBroken(each) && each.metadata.deletionTimestamp === undefined)) {
        const waiting = { reason: "ImagePullBackOff", message: 'Back-off pulling image "localhost/none:1"' };
        const containerStatuses = [
          { name: "main", image: "localhost/none:1", imageID: "", ready: false, restartCount: 0, state: { waiting } },
        ];
        await namespace.api
          .patch(
            `${podsPath(namespace)}/${pod.metadata.name}/status`,
            { status: { containerStatuses } },
            "strategic-merge",
          )
          .catch(() => {});
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const running = loop();
  running.catch(() => {});
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

async function isRunning(namespace: TestNamespace, target: Target): Promise<boolean> {
  const pod = await podOf(namespace, target);
  return pod !== undefined && pod.metadata.deletionTimestamp === undefined && pod.status.phase === "Running";
}

async function podOf(namespace: TestNamespace, { id }: Target): Promise<PodObject | undefined> {
  const { items } = await namespace.api.get<ApiList<PodObject>>(podsPath(namespace));
  return items.find(({ metadata }) => metadata.uid === id);
}

interface Slice {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[] | null;
}

/** Where the cluster's proxies would send a Service's traffic: any ready endpoint counts. */
async function routedTo(namespace: TestNamespace, ref: LocalRef): Promise<"dlx" | "resource"> {
  const path = await slicesPath(namespace.api, namespace.name);
  const { items } = await namespace.api.get<{ readonly items: readonly Slice[] }>(path);
  const slices = items.filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === plainName(ref));
  const ours = slices.filter(
    ({ metadata }) => metadata.labels?.["endpointslice.kubernetes.io/managed-by"] === "dormouse.dev",
  );
  return ours.some(({ endpoints }) => (endpoints ?? []).length > 0) ? "dlx" : "resource";
}

function pathOf(ref: LocalRef): string {
  return `/apis/apps/v1/namespaces/${ref.namespace}/${isStatefulSet(ref) ? "statefulsets" : "deployments"}/${plainName(ref)}`;
}

function podsPath(namespace: TestNamespace): string {
  return `/api/v1/namespaces/${namespace.name}/pods`;
}

function isStatefulSet({ name }: LocalRef): boolean {
  return name.startsWith("statefulset:");
}

function plainName({ name }: LocalRef): string {
  return name.replace(/^statefulset:/, "");
}

function appOf(pod: PodObject): string {
  return pod.metadata.labels?.["app"] ?? "";
}
