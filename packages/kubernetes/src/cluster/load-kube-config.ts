import { existsSync } from "node:fs";
import { join } from "node:path";
import { ScalerError } from "@dormouse/core";
import type { KubeConfig } from "@kubernetes/client-node";

/** Where credentials come from. */
export interface KubeConfigOptions {
  /** Path of a kubeconfig; left out: the pod's service account, else client-node's default (`KUBECONFIG`, `~/.kube/config`). */
  readonly kubeconfig?: string | undefined;
  /** Context of the kubeconfig; left out: its current one. */
  readonly context?: string | undefined;
  /** In front of the service account's folder; for tests. */
  readonly pathPrefix?: string | undefined;
}

const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Reads the credentials. The library is large, so that only who opens a cluster loads it.
 * @throws ScalerError `SCALER_BAD_OPTIONS` where there are none, or none that are usable, with the mend
 */
export async function loadKubeConfig(options: KubeConfigOptions): Promise<KubeConfig> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  try {
    load(config, options);
  } catch (cause) {
    const from = options.kubeconfig ?? "the default kubeconfig";
    const text = cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause);
    throw new ScalerError("SCALER_BAD_OPTIONS", `${from} cannot be read as a kubeconfig: ${String(text)}`, { cause });
  }
  chooseContext(config, options.context);
  assertUsable(config);
  return config;
}

function load(config: KubeConfig, { kubeconfig, context, pathPrefix = "" }: KubeConfigOptions): void {
  if (kubeconfig !== undefined) config.loadFromFile(kubeconfig);
  else if (context === undefined && hasServiceAccount(pathPrefix)) config.loadFromCluster(pathPrefix);
  else config.loadFromDefault();
}

function hasServiceAccount(prefix: string): boolean {
  return ["token", "ca.crt"].every((file) => existsSync(join(prefix, serviceAccountFolder, file)));
}

function chooseContext(config: KubeConfig, context: string | undefined): void {
  if (context === undefined) return;
  const names = config.getContexts().map(({ name }) => name);
  if (!names.includes(context))
    throw new ScalerError(
      "SCALER_BAD_OPTIONS",
      `the kubeconfig has no context "${context}"; it has ${names.join(", ") || "none"}`,
    );
  config.setCurrentContext(context);
}

function assertUsable(config: KubeConfig): void {
  const server = config.getCurrentCluster()?.server;
  if (server === undefined || config.getCurrentUser() === null)
    throw new ScalerError(
      "SCALER_BAD_OPTIONS",
      `context "${config.getCurrentContext()}" of the kubeconfig leads to no cluster with a user; choose another by the option context`,
    );
  // What the library makes up where it finds nothing.
  if (server === "http://localhost:8080" && config.getCurrentContext() === "loaded-context")
    throw new ScalerError(
      "SCALER_BAD_OPTIONS",
      "there is no kubeconfig and no service account; give the path of a kubeconfig by the option kubeconfig",
    );
  if (!URL.canParse(server) || server.includes("undefined"))
    throw new ScalerError(
      "SCALER_BAD_OPTIONS",
      `"${server}" is no address of an API server; in a pod KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set`,
    );
}
