import { randomBytes } from "node:crypto";
import { inject, onTestFinished } from "vitest";
import { until } from "../harness/until.ts";
import { openTestApi } from "./test-api.ts";
import type { TestApi } from "./test-api.ts";

/**
 * A namespace that nobody else uses. Disposal has it deleted with all that is in it, which the server takes five seconds
 * for that nobody waits for, and closes the access.
 */
export interface TestNamespace extends AsyncDisposable {
  readonly name: string;
  /** Path of the file with which an administrator gets in. */
  readonly kubeconfig: string;
  readonly api: TestApi;
}

/** How long a namespace may take to be usable. */
const patienceMs = 30_000;

/** A new namespace of the run's server for the test that calls this; it goes away once the test has ended. */
export async function testNamespace(): Promise<TestNamespace> {
  const namespace = await openTestNamespace();
  onTestFinished(async () => namespace[Symbol.asyncDispose](), patienceMs);
  return namespace;
}

/** The same for whoever disposes it, such as `afterAll`. */
export async function openTestNamespace(): Promise<TestNamespace> {
  const { kubeconfig, hasControllers } = inject("kubernetes");
  return createNamespace(kubeconfig, hasControllers);
}

/** A new namespace of any server. */
export async function createNamespace(kubeconfig: string, hasControllers = true): Promise<TestNamespace> {
  const api = openTestApi(kubeconfig);
  const name = `test-${randomBytes(5).toString("hex")}`;
  await api.post("/api/v1/namespaces", { metadata: { name } });
  // Pods are refused until the controllers have made a service account, and on old servers a token for it.
  const tried = { metadata: { name: "tried" }, spec: { containers: [{ name: "tried", image: "localhost/none" }] } };
  const tryPod = () => api.post(`/api/v1/namespaces/${name}/pods?dryRun=All`, tried).catch(() => undefined);
  if (hasControllers) await until("a service account", tryPod, patienceMs);
  const close = async (): Promise<void> => {
    await api.delete(`/api/v1/namespaces/${name}`);
    // Pods on nodes that do not exist would wait for their kubelet to let them go. New ones are refused from here on.
    await api.delete(`/api/v1/namespaces/${name}/pods?gracePeriodSeconds=0`);
    await api[Symbol.asyncDispose]();
  };
  return { name, kubeconfig, api, [Symbol.asyncDispose]: close };
}
