import type { SchemaNode } from "./config-json-schema.ts";

/** What may stand for a node of the schema, in words: `duration`, `list of text`, `whole number from 1`. */
export function describeForm(node: SchemaNode): string {
  if (isDuration(node)) return "duration";
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(describeForm))].join(" or ");
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(", ");
  switch (node.type ?? "") {
    case "array":
      return `list of ${node.items === undefined ? "anything" : describeForm(node.items)}`;
    case "boolean":
      return "`true`, `false`";
    case "integer":
      return `whole number${describeRange(node)}`;
    case "number":
      return `number${describeRange(node)}`;
    case "object":
      return describeMapping(node);
    case "string":
      return node.format === "uri" ? "URL" : "text";
    default:
      return "anything";
  }
}

function isDuration({ anyOf }: SchemaNode): boolean {
  return anyOf?.length === 2 && anyOf[0]?.pattern?.includes("[smhd]") === true && anyOf[1]?.const === 0;
}

function describeRange({ minimum, exclusiveMinimum, maximum }: SchemaNode): string {
  const least = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1);
  const from = least === undefined || least < -1e9 ? "" : ` from ${least}`;
  return maximum === undefined || maximum > 1e9 ? from : `${from} to ${maximum}`;
}

function describeMapping({ properties, additionalProperties }: SchemaNode): string {
  const keys = Object.keys(properties ?? {});
  if (keys.length > 4) return "mapping";
  if (keys.length > 0) return `\`{ ${keys.join(", ")} }\``;
  return typeof additionalProperties === "object" ? `mapping to ${describeForm(additionalProperties)}` : "mapping";
}
