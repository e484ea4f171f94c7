import type { StandardSchemaV1 } from "@standard-schema/spec";

interface JsonSchema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

/** Deeper than any schema of options; ends references that lead in a circle. */
const deepest = 20;

/**
 * The keys that a schema knows at a path, for messages; empty where the schema cannot say. Asks by Standard JSON Schema
 * (https://standardschema.dev/json-schema), so that it works with any library and any installed copy of it.
 */
export function knownKeys(schema: StandardSchemaV1 | undefined, path: readonly PropertyKey[]): readonly string[] {
  const root = toJsonSchema(schema);
  if (root === undefined) return [];
  const nodes = path.reduce<readonly JsonSchema[]>((all, key) => all.flatMap((node) => below(root, node, key)), [root]);
  return [
    ...new Set(nodes.flatMap((node) => variants(root, node).flatMap((each) => Object.keys(each.properties ?? {})))),
  ];
}

function toJsonSchema(schema: StandardSchemaV1 | undefined): JsonSchema | undefined {
  const standard: object | undefined = schema?.["~standard"];
  const converter = standard === undefined ? undefined : (Reflect.get(standard, "jsonSchema") as unknown);
  try {
    return (converter as { input(options: object): JsonSchema }).input({ target: "draft-2020-12" });
  } catch {
    return undefined;
  }
}

function below(root: JsonSchema, node: JsonSchema, key: PropertyKey): JsonSchema[] {
  return variants(root, node).flatMap((each) => {
    const next = typeof key === "number" ? each.items : (each.properties?.[String(key)] ?? each.additionalProperties);
    return typeof next === "object" ? [next] : [];
  });
}

function variants(root: JsonSchema, node: JsonSchema, depth = 0): JsonSchema[] {
  if (depth > deepest) return [];
  const referred = node.$ref === undefined ? [] : referredBy(root, node.$ref);
  const inner = [...referred, ...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  return [node, ...inner.flatMap((each) => variants(root, each, depth + 1))];
}

/** What a reference within the document, such as `#/$defs/secret`, leads to (RFC 6901 pointers, without escapes). */
function referredBy(root: JsonSchema, reference: string): JsonSchema[] {
  const steps = reference.replace(/^#\/?/, "").split("/").filter(Boolean);
  const found = steps.reduce<unknown>(
    (node, step) => (typeof node === "object" && node !== null ? Reflect.get(node, step) : undefined),
    root,
  );
  return typeof found === "object" && found !== null ? [found] : [];
}
