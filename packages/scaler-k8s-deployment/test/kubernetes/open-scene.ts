import { defaultPolicy, type Resource, type ResourceScaler, silentLogger, systemClock } from "@dormouse/core";
import {
  type ApiList,
  ApiFailure,
  type ObjectMeta,
  type PodObject,
  runTestKubelet,
  testNamespace,
  type TestKubeletOptions,
  type TestNamespace,
} from "@dormouse/test-kubernetes";
import { expect, onTestFinished } from "vitest";
import { scaler as plugin } from "../../src/index.ts";
import { k8sDeploymentOptions } from "../../src/k8s-deployment-options.ts";
import { deployment, service, type WorkloadChoice } from "./manifests.ts";
import { openStandInDlx, type StandInDlx } from "./stand-in-dlx.ts";

/** What a scene is opened with. */
export interface SceneChoice extends TestKubeletOptions {
  /** Ports of the DLXs; 4 unless given. */
  readonly ports?: number;
  /** In place of the administrator's kubeconfig. */
  readonly kubeconfig?: string;
  /** No scaler yet: the test opens its own. */
  readonly withoutScaler?: boolean;
}

/** A Deployment, as far as tests look at it. */
interface WorkloadSeen {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly replicas: number };
  readonly status: { readonly readyReplicas?: number };
}

/** A Service, as far as tests look at it. */
interface ServiceSeen {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly selector: Readonly<Record<string, string>>; readonly clusterIP: string };
}

/** An EndpointSlice, as far as tests look at it. */
export interface SliceSeen {
  readonly metadata: ObjectMeta;
  readonly endpoints: readonly { readonly addresses: readonly string[] }[] | null;
  readonly ports: readonly { readonly name: string; readonly port: number }[] | null;
}

/** A namespace with a kubelet, DLXs and a scaler in it; all of it goes with the test. */
export interface Scene {
  readonly namespace: TestNamespace;
  readonly dlx: StandInDlx;
  readonly scaler: ResourceScaler;
  /** One more scaler on the same namespace, with options on top of those of the first. */
  openScaler(more?: object): Promise<ResourceScaler>;
  /** Makes a Service and a Deployment of the same name. */
  make(name: string, choice?: WorkloadChoice & { readonly service?: object }): Promise<void>;
  /** What the scaler says of a workload, as its list has it. */
  listed(name: string): Promise<Resource | undefined>;
  workload(name: string): Promise<WorkloadSeen>;
  patchWorkload(name: string, patch: object): Promise<void>;
  service(name: string): Promise<ServiceSeen>;
  patchService(name: string, patch: object): Promise<void>;
  /** The scaler's own slice of a Service. */
  slice(name: string): Promise<SliceSeen | undefined>;
  slicePath(name: string): string;
  /** Addresses in it. */
  endpoints(name: string): Promise<readonly string[]>;
  pods(name: string): Promise<readonly PodObject[]>;
  /** Messages of the Events of a reason on a workload. */
  events(name: string, reason: string): Promise<readonly string[]>;
  /** Puts a workload to sleep as a host does, and diverts its traffic. */
  putToSleep(name: string): Promise<void>;
}

/** Opens one for the test that calls this. */
export async function openScene(choice: SceneChoice = {}): Promise<Scene> {
  const { ports = 4, kubeconfig, withoutScaler = false, ...kubelet } = choice;
  const namespace = await testNamespace();
  const { api, name: space } = namespace;
  const dlx = await openStandInDlx(namespace, ports);
  onTestFinished(async () => dlx[Symbol.asyncDispose]());
  const playing = runTestKubelet(namespace, kubelet);
  onTestFinished(async () => playing[Symbol.asyncDispose]());
  const openScaler = async (more: object = {}): Promise<ResourceScaler> => {
    const options = {
      kubeconfig: kubeconfig ?? namespace.kubeconfig,
      namespaces: [space],
      dlx: dlx.options,
      state: { namespace: space },
      ...more,
    };
    const context = { id: "k8s", logger: silentLogger, clock: systemClock, defaults: defaultPolicy };
    const opened = await plugin.create(k8sDeploymentOptions.parse(options), context);
    onTestFinished(async () => opened[Symbol.asyncDispose]());
    return opened;
  };
  const scaler = withoutScaler ? (undefined as unknown as ResourceScaler) : await openScaler();
  const workloads = `/apis/apps/v1/namespaces/${space}/deployments`;
  const services = `/api/v1/namespaces/${space}/services`;
  const slicePath = (name: string): string => `${dlx.slicesPath}/${name}-dormouse-ipv4`;
  const slice = (name: string) => api.get<SliceSeen>(slicePath(name)).catch(undefinedIfMissing);
  return {
    namespace,
    dlx,
    scaler,
    openScaler,
    make: async (name, { service: spec, ...rest } = {}) => {
      await api.post(services, service(name, spec));
      await api.post(workloads, deployment(name, rest));
    },
    listed: async (name) => (await scaler.listResources()).find(({ ref }) => ref.name === name),
    workload: (name) => api.get<WorkloadSeen>(`${workloads}/${name}`),
    patchWorkload: async (name, patch) => void (await api.patch(`${workloads}/${name}`, patch)),
    service: (name) => api.get<ServiceSeen>(`${services}/${name}`),
    patchService: async (name, patch) => void (await api.patch(`${services}/${name}`, patch)),
    slice,
    slicePath,
    endpoints: async (name) => ((await slice(name))?.endpoints ?? []).flatMap(({ addresses }) => addresses),
    pods: async (name) =>
      (await api.get<ApiList<PodObject>>(`/api/v1/namespaces/${space}/pods?labelSelector=app=${name}`)).items,
    events: async (name, reason) => {
      const fields = `involvedObject.name=${name},reason=${reason}`;
      const path = `/api/v1/namespaces/${space}/events?fieldSelector=${encodeURIComponent(fields)}`;
      const { items } = await api.get<ApiList<{ readonly metadata: ObjectMeta; readonly message: string }>>(path);
      return items.map(({ message }) => message);
    },
    putToSleep: async (name) => {
      const ref = { namespace: space, name };
      const resource = await scaler.getResource(ref);
      const mark = await scaler.setScale(ref, resource?.desired ?? 1);
      await scaler.routeTraffic?.(ref, "dlx", { version: mark.version });
      await scaler.setScale(ref, 0, { ifVersion: mark.version });
      // Else a wake right after might find the same pods again.
      await expect.poll(async () => (await scaler.getResource(ref))?.ready, { timeout: 20_000 }).toBe(0);
    },
  };
}

/** Undefined where there is no such object. */
export function undefinedIfMissing(error: unknown): undefined {
  if (error instanceof ApiFailure && error.status === 404) return undefined;
  throw error;
}

/** Key in a diverted Service's selector. */
export const divertedKey = "dormouse.dev/diverted";
