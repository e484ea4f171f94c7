import { until } from "../../harness/until.ts";
import type { ApiList } from "../../kubernetes/test-api.ts";
import type { Proof } from "../proof.ts";
import type { ClusterStage } from "../stage/cluster-stage.ts";
import type { Demo } from "../stage/demo.ts";
import { idleRules } from "../stage/metrics-adapter.ts";
import { releaseName, releaseNamespace, uninstallRelease } from "../stage/release.ts";
import type { Tally } from "../tally.ts";

/** The last one: one demo sleeps, one is awake behind the DLXs, one is awake with its traffic straight to its Pods. */
export const uninstall: Proof = {
  name: "uninstall",
  title: "helm uninstall under load: everything runs, nothing stays behind",
  isAlone: true,
  plans: [
    { policy: { "idle-after": "1s" } },
    { policy: { "idle-after": "1h", routing: "always" } },
    { policy: { "idle-after": "1h", "idle-rules": idleRules } },
  ],
  run: async ({ stage, demos, tally }) => {
    const [asleep, behind, direct] = demos as [Demo, Demo, Demo];
    await behind.untilTrafficGoesTo("dlx");
    await asleep.untilAsleep();
    let isOver = false;
    const load = async (demo: Demo, name: string): Promise<void> => {
      for (let turn = 0; !isOver; turn += 1) {
        tally.add(await demo.fromPod({ prefix: `${name}-${String(turn)}-`, count: 10, overMs: 1_000, serviceMs: 20 }));
      }
    };
    const loads = [load(behind, "behind"), load(direct, "direct")];
    try {
      await uninstallRelease(stage.tools);
    } finally {
      isOver = true;
      await Promise.all(loads);
    }
    tally.countRound();
    for (const demo of demos) await expectUntouched(demo, tally);
    tally.compare((await Promise.all(demos.map((demo) => demo.ledger()))).flat());
    for (const what of await leftOf(stage)) tally.claim(false, `left behind: ${what}`);
  },
};

async function expectUntouched(demo: Demo, tally: Tally): Promise<void> {
  await demo.untilAwake();
  const deployment = await demo.deployment();
  const service = await demo.service();
  const own = ["epoch", "wake-replicas", "route"].map((key) => `dormouse.dev/${key}`);
  const kept = [deployment, service].flatMap(({ metadata }) =>
    Object.keys(metadata.annotations ?? {}).filter((key) => own.includes(key)),
  );
  tally.claim(kept.length === 0, `${demo.ref}: left behind: ${kept.join(", ")}`);
  tally.claim((await demo.slices()).length === 0, `${demo.ref}: an EndpointSlice was left behind`);
  tally.claim(Object.keys(service.spec.selector).length === 1, `${demo.ref}: the selector has a key too many`);
  tally.add(await demo.fromHost({ prefix: `after-${demo.name}-`, count: 5, overMs: 100 }));
}

/** Objects of the release that are still there a while after. */
async function leftOf({ api }: ClusterStage): Promise<readonly string[]> {
  const selector = encodeURIComponent(`app.kubernetes.io/instance=${releaseName}`);
  const inNamespace = (group: string, plural: string): string =>
    `${group}/namespaces/${releaseNamespace}/${plural}?labelSelector=${selector}`;
  const paths = [
    ...["configmaps", "secrets", "services", "serviceaccounts", "pods"].map((kind) => inNamespace("/api/v1", kind)),
    ...["deployments", "replicasets"].map((kind) => inNamespace("/apis/apps/v1", kind)),
    inNamespace("/apis/batch/v1", "jobs"),
    inNamespace("/apis/coordination.k8s.io/v1", "leases"),
    ...["roles", "rolebindings"].map((kind) => inNamespace("/apis/rbac.authorization.k8s.io/v1", kind)),
    ...["clusterroles", "clusterrolebindings"].map(
      (kind) => `/apis/rbac.authorization.k8s.io/v1/${kind}?labelSelector=${selector}`,
    ),
  ];
  const look = async (): Promise<readonly string[]> => {
    const lists = await Promise.all(paths.map((path) => api.get<ApiList>(path)));
    return lists.flatMap(({ items }, index) =>
      items.map(({ metadata }) => `${paths[index]?.split("?")[0] ?? ""}/${metadata.name}`),
    );
  };
  await until("everything of the release had gone", async () => (await look()).length === 0, 60_000).catch(() => {});
  return look();
}
