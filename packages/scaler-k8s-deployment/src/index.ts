import { contractVersion, defineScaler } from "@dormouse/core";
import { k8sDeploymentOptions } from "./k8s-deployment-options.ts";
import { K8sDeploymentScaler } from "./k8s-deployment-scaler.ts";

/** Resource scaler for Kubernetes Deployments and StatefulSets, loaded by `use: k8s-deployment`. */
export const scaler = defineScaler({
  contract: contractVersion,
  name: "k8s-deployment",
  options: k8sDeploymentOptions,
  create: (options, context) => K8sDeploymentScaler.open(options, context),
});
