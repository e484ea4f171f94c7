import { policyLabelKeys } from "../src/policy-label-keys.ts";
import { type SchemaNode, toConfigJsonSchema } from "./config-json-schema.ts";
import { describeForm } from "./describe-form.ts";
import { toMarkdownTable } from "./markdown-table.ts";

/** The tables of docs/configuration.md by the names of their places in it. */
export function configTables(): Readonly<Record<string, string>> {
  const schema = toConfigJsonSchema();
  const top = schema.properties ?? {};
  const policy = top["defaults"]?.properties ?? {};
  const sections = ["admin", "dlx", "autoscaler", "telemetry", "log"] as const;
  return {
    top: keyTable(top, schema.required),
    ...Object.fromEntries(sections.map((name) => [name, keyTable(top[name]?.properties ?? {}, top[name]?.required)])),
    plugin: keyTable(top["scalers"]?.items?.properties ?? {}, top["scalers"]?.items?.required),
    policy: policyTable(policy),
    idleRule: keyTable(policy["idleRules"]?.items?.properties ?? {}, policy["idleRules"]?.items?.required),
    readiness: keyTable(policy["readiness"]?.properties ?? {}, policy["readiness"]?.required),
    neverWake: keyTable(policy["neverWake"]?.properties ?? {}),
    target: keyTable(policy["target"]?.properties ?? {}, policy["target"]?.required),
    scaleUp: keyTable(policy["scaleUp"]?.properties ?? {}),
    scaleDown: keyTable(policy["scaleDown"]?.properties ?? {}),
    ratePolicy: keyTable(
      policy["scaleUp"]?.properties?.["policies"]?.items?.properties ?? {},
      policy["scaleUp"]?.properties?.["policies"]?.items?.required,
    ),
    flapGuard: keyTable(policy["flapGuard"]?.properties ?? {}),
  };
}

function keyTable(properties: Readonly<Record<string, SchemaNode>>, required: readonly string[] = []): string {
  const rows = Object.entries(properties).map(([key, node]) => [
    `\`${key}\``,
    describeForm(node),
    describeDefault(node, required.includes(key)),
    node.description ?? "",
  ]);
  return toMarkdownTable(["Key", "Form", "Default", "Meaning"], rows);
}

function policyTable(properties: Readonly<Record<string, SchemaNode>>): string {
  const rows = Object.entries(properties).map(([key, node]) => [
    `\`${key}\``,
    labelsOf(key),
    describeForm(node),
    describeDefault(node, false),
    node.description ?? "",
  ]);
  return toMarkdownTable(["Key", "Label", "Form", "Default", "Meaning"], rows);
}

function labelsOf(key: string): string {
  const labels = policyLabelKeys.filter(({ path }) => path[0] === key);
  return labels.map(({ name, form }) => `\`${name}\`${form === "json" ? " (JSON)" : ""}`).join(", ");
}

function describeDefault(node: SchemaNode, isRequired: boolean): string {
  if (isRequired) return "required";
  const { default: value } = node;
  if (value === undefined || isEmpty(value)) return "–";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
