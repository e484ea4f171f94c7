// Whether a cluster comes up on this machine, runs the images of this folder, and is reachable: what tests on it rest on.
import { fetch } from "undici";
import { until } from "../harness/until.ts";
import { buildDormouseImage } from "./dormouse-image.ts";
import { openCluster } from "./open-cluster.ts";
import type { TestCluster } from "./open-cluster.ts";
import { buildTestAppImage } from "./test-app-image.ts";
import type { PodObject } from "./test-api.ts";
import { createNamespace } from "./test-namespace.ts";
import type { TestNamespace } from "./test-namespace.ts";

interface Service {
  readonly spec: { readonly clusterIP: string };
}

interface Deployment {
  readonly status: { readonly readyReplicas?: number };
}

const started = performance.now();

function say(what: string): void {
  console.log(`${((performance.now() - started) / 1_000).toFixed(1).padStart(6)} s  ${what}`);
}

async function checkTestApp({ api, name }: TestNamespace, image: string): Promise<void> {
  const labels = { app: "web" };
  const container = {
    name: "web",
    image,
    imagePullPolicy: "Never",
    readinessProbe: { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 1 },
  };
  await api.post(`/apis/apps/v1/namespaces/${name}/deployments`, {
    metadata: { name: "web" },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container] } } },
  });
  const { spec } = await api.post<Service>(`/api/v1/namespaces/${name}/services`, {
    metadata: { name: "web" },
    spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
  });
  await until("a ready Pod", async () => {
    const { status } = await api.get<Deployment>(`/apis/apps/v1/namespaces/${name}/deployments/web`);
    return status.readyReplicas === 1;
  });
  say("the test app is ready");
  const id = `check-${name}`;
  const url = `http://${spec.clusterIP}`;
  const ask = (path: string): Promise<string | undefined> =>
    fetch(`${url}${path}`, { headers: { "x-request-id": id }, signal: AbortSignal.timeout(5_000) }).then(
      (answer) => answer.text(),
      () => undefined, // kube-proxy needs a moment
    );
  const text = await until("an answer through the ClusterIP", () => ask("/?ms=10"));
  if ((JSON.parse(text) as { readonly id: string }).id !== id) throw new Error(`answered something else: ${text}`);
  const ledger = await ask("/ledger");
  if (ledger !== JSON.stringify([id])) throw new Error(`the ledger is not [${id}]: ${String(ledger)}`);
  say(`answered through its ClusterIP: ${text.trim()}`);
}

async function checkDormouse({ api, name }: TestNamespace, image: string): Promise<void> {
  const path = `/api/v1/namespaces/${name}/pods`;
  const container = { name: "dormouse", image, imagePullPolicy: "Never", args: ["--version"] };
  await api.post(path, {
    metadata: { name: "dormouse" },
    spec: { restartPolicy: "Never", securityContext: { runAsNonRoot: true }, containers: [container] },
  });
  await until("the end of its Pod", async () => {
    const { phase } = (await api.get<PodObject>(`${path}/dormouse`)).status;
    if (phase === "Failed") throw new Error(await api.get<string>(`${path}/dormouse/log`));
    return phase === "Succeeded";
  });
  say(`dormouse --version in a Pod: ${(await api.get<string>(`${path}/dormouse/log`)).trim()}`);
}

async function check(cluster: TestCluster): Promise<void> {
  say(`the cluster is up: ${cluster.kubeconfig}`);
  const app = await buildTestAppImage();
  await cluster.loadImage(app);
  say(`${app.name} is loaded`);
  const namespace = await createNamespace(cluster.kubeconfig);
  try {
    await checkTestApp(namespace, app.name);
    const dormouse = await buildDormouseImage();
    say(`${dormouse.name} is built`);
    await cluster.loadImage(dormouse);
    say(`${dormouse.name} is loaded`);
    await checkDormouse(namespace, dormouse.name);
  } finally {
    await namespace[Symbol.asyncDispose]();
  }
}

const cluster = await openCluster();
try {
  await check(cluster);
} finally {
  await cluster[Symbol.asyncDispose]();
  say("everything is gone again");
}
