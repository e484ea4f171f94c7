import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runDocumentedCommands } from "../../kubernetes/run-documented-commands.ts";
import type { Proof } from "../proof.ts";
import { uninstallRelease } from "../stage/release.ts";

const page = fileURLToPath(new URL("../../../docs/kubernetes.md", import.meta.url));

/** What stands on the page beside what the cluster here has. */
const images = {
  "registry.k8s.io/e2e-test-images/agnhost:2.53": "localhost/test-app:1",
  "busybox:1": "localhost/test-app:1",
};
const values = { image: { repository: "localhost/dormouse", tag: "test", pullPolicy: "Never" } };

/** After the last one, with a cluster that has no Dormouse: the page installs it itself, and takes it away again. */
export const documented: Proof = {
  name: "documented",
  title: "each command of docs/kubernetes.md, from the top to the bottom",
  isAlone: true,
  whyNot: ({ cluster }) => (cluster.isForeign ? "its images are only on a cluster of our own" : undefined),
  plans: [{ policy: { "idle-after": "1h" } }],
  run: async ({ stage, tally }) => {
    await uninstallRelease(stage.tools);
    const folder = mkdtempSync(join(tmpdir(), "dormouse-page-"));
    try {
      const helmValues = join(folder, "values.json");
      writeFileSync(helmValues, JSON.stringify(values));
      const { kubeconfig } = stage.cluster;
      const ran = await runDocumentedCommands(page, { kubeconfig, tools: stage.tools, helmValues, images });
      for (const _ of ran) tally.countRound();
      const outputs = ran.map(({ output }) => output).join("\n");
      for (const told of ["DormouseSleep", "k8s/default/web", "No resources found"])
        tally.claim(
          outputs.includes(told),
          `nothing that the page's commands printed has ${JSON.stringify(told)} in it`,
        );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
