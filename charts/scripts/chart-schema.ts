import configSchema from "@dormouse/core/dormouse.schema.json" with { type: "json" };
import type { ValueNode } from "./value-tree.ts";
import { toValuesSchema, type JsonSchema, type SpecialValues } from "./values-schema.ts";

const { scalers: scalerList, ...configKeys } = configSchema.properties;
const { dlx, autoscaler, defaults } = configKeys;

const mapping: JsonSchema = { type: "object" };
const texts: JsonSchema = { type: "object", additionalProperties: { type: "string" } };
const mappings: JsonSchema = { type: "array", items: mapping };
const textList: JsonSchema = { type: "array", items: { type: "string", minLength: 1 } };
const port: JsonSchema = { type: "integer", minimum: 1, maximum: 65_535 };
const dedicatedPort: JsonSchema = { type: "integer", minimum: 1_024, maximum: 65_535 };
const namespaceName = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
const countOrShare: JsonSchema = {
  anyOf: [
    { type: "integer", minimum: 0 },
    { type: "string", pattern: "^[0-9]{1,3}%$" },
  ],
};
const resources: JsonSchema = {
  type: "object",
  properties: { requests: mapping, limits: mapping, claims: mappings },
  additionalProperties: false,
};
const plugins: JsonSchema = { type: "array", items: scalerList.items };

const ofHosts = ["dlx", "autoscaler"].flatMap((host): [string, JsonSchema][] => [
  [`${host}.replicas`, { type: "integer", minimum: 1 }],
  [`${host}.resources`, resources],
  [`${host}.podDisruptionBudget.maxUnavailable`, countOrShare],
  [`${host}.topologySpreadConstraints`, mappings],
  [`${host}.affinity`, mapping],
  [`${host}.nodeSelector`, texts],
  [`${host}.tolerations`, mappings],
  [`${host}.podAnnotations`, texts],
  [`${host}.podLabels`, texts],
  [`${host}.annotations`, texts],
  [`${host}.serviceAccountAnnotations`, texts],
  [`${host}.extraArgs`, { type: "array", items: { type: "string" } }],
  [`${host}.extraEnv`, mappings],
]);

/** Keys of values.yaml whose form their default does not tell; those of dormouse.yaml have the form that core gives them. */
const special: SpecialValues = new Map<string, JsonSchema>([
  ...ofHosts,
  ["commonLabels", texts],
  ["commonAnnotations", texts],
  ["image.digest", { type: "string", pattern: "^(sha256:[0-9a-f]{64})?$" }],
  ["image.pullPolicy", { enum: ["Always", "IfNotPresent", "Never"] }],
  ["imagePullSecrets", mappings],
  ["namespaces", { type: "array", items: { type: "string", pattern: namespaceName } }],
  ["defaults", defaults],
  ["config", { type: "object", properties: configKeys, additionalProperties: false }],
  ["kubernetes.options", mapping],
  ["kubernetes.ports.from", dedicatedPort],
  ["kubernetes.ports.to", dedicatedPort],
  ["scalers", plugins],
  ["plugins", textList],
  ["pluginInstaller.resources", resources],
  ["metrics.customMetrics.options", mapping],
  ["metrics.resourceMetrics.options", mapping],
  ["metrics.prometheus.options", mapping],
  ["metrics.sources", plugins],
  ["dlx.stopGrace", dlx.properties.stopGrace],
  ["dlx.drainTimeout", dlx.properties.drainTimeout],
  ["dlx.terminationGracePeriodSeconds", { type: ["integer", "null"], minimum: 1 }],
  ["dlx.service.type", { enum: ["ClusterIP", "NodePort", "LoadBalancer"] }],
  ["dlx.service.port", port],
  ["dlx.service.annotations", texts],
  ["dlx.service.labels", texts],
  ["autoscaler.every", autoscaler.properties.every],
  ["autoscaler.quietPeriod", autoscaler.properties.quietPeriod],
  ["extraEnv", mappings],
  ["extraEnvFrom", mappings],
  ["extraVolumes", mappings],
  ["extraVolumeMounts", mappings],
  ["podSecurityContext", mapping],
  ["securityContext", mapping],
  ["networkPolicy.adminFrom", mappings],
  ["serviceMonitor.labels", texts],
  ["serviceMonitor.tlsConfig", mapping],
  ["prometheusRule.labels", texts],
  ["prometheusRule.alertLabels", texts],
  ["release.activeDeadlineSeconds", { type: "integer", minimum: 1 }],
  ["release.resources", resources],
  ["tests.timeoutSeconds", { type: "integer", minimum: 1 }],
]);

/** The schema of the chart's values. Draft 7 is what every Helm 3 and 4 reads. */
export function toChartSchema(tree: ReadonlyMap<string, ValueNode>): JsonSchema {
  const schema = toValuesSchema(tree, special);
  // Helm puts `global` into the values of every chart that is part of another.
  const properties = { ...(schema["properties"] as JsonSchema), global: mapping };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Values of the chart dormouse",
    ...schema,
    properties,
  };
}
