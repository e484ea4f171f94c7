import { fileURLToPath } from "node:url";
import type { ClientTools } from "../../kubernetes/client-tools.ts";

const chart = fileURLToPath(new URL("../../../charts/dormouse", import.meta.url));

/** Name of the release and its namespace. */
export const releaseName = "dormouse";
export const releaseNamespace = "dormouse-system";

/** Values of the chart that fit a small cluster and a hasty test: everything comes twice, and soon. */
const values = {
  image: { repository: "localhost/dormouse", tag: "test", pullPolicy: "Never" },
  dlx: { replicas: 2, stopGrace: "4s", drainTimeout: "25s" },
  autoscaler: { replicas: 2, every: "500ms", quietPeriod: "1s" },
  routes: { ingress: true, gateway: true },
  metrics: { customMetrics: { enabled: true, options: { timeout: "2s" } } },
  config: {
    cluster: {
      leader: { use: "kubernetes", options: { leaseDuration: "3s", renewDeadline: "2s", retryPeriod: "500ms" } },
    },
  },
};

/** Installs the chart of the working tree, or brings what is installed up to it. */
export async function installRelease(tools: ClientTools): Promise<void> {
  const where = ["--namespace", releaseNamespace, "--create-namespace"];
  await tools.helm(
    ["upgrade", "--install", releaseName, chart, ...where, "--values", "-", "--wait", "--timeout", "100s"],
    {
      input: JSON.stringify(values),
    },
  );
}

/** Takes it away, if it is there; its hook hands everything back first. */
export async function uninstallRelease(tools: ClientTools): Promise<void> {
  const where = ["--namespace", releaseNamespace, "--ignore-not-found"];
  await tools.helm(["uninstall", releaseName, ...where, "--wait", "--timeout", "100s"]);
}
