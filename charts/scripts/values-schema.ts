import type { ValueNode } from "./value-tree.ts";

/** A JSON Schema, as far as it is put together here. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What values.yaml cannot say of a key by its default, by the key's path. */
export type SpecialValues = ReadonlyMap<string, JsonSchema>;

/**
 * The JSON Schema of values.yaml: forms follow from the defaults, or from `special` where it has the path. Unknown keys
 * are errors. No key is required, for the defaults are always there.
 *
 * @throws Error for a path in `special` that is no value, and for a default that does not tell its form
 */
export function toValuesSchema(tree: ReadonlyMap<string, ValueNode>, special: SpecialValues): JsonSchema {
  const used = new Set<string>();
  const toSchema = (node: ValueNode, path: string): JsonSchema => {
    if (node.kind === "group") return toObject(node.keys, path);
    const given = special.get(path);
    if (given !== undefined) used.add(path);
    const form = given ?? formOf(node.default);
    if (form === undefined) throw new Error(`say in chart-schema.ts what form ${path} has`);
    return { ...form, description: node.description };
  };
  const toObject = (keys: ReadonlyMap<string, ValueNode>, path: string): JsonSchema => ({
    type: "object",
    properties: Object.fromEntries(
      [...keys].map(([key, node]) => [key, toSchema(node, path === "" ? key : `${path}.${key}`)]),
    ),
    additionalProperties: false,
  });
  const schema = toObject(tree, "");
  const unused = [...special.keys()].filter((path) => !used.has(path));
  if (unused.length > 0) throw new Error(`values.yaml has no value ${unused.join(", ")}`);
  return schema;
}

/** The form that a default speaks for; undefined where it could be anything. */
function formOf(value: unknown): JsonSchema | undefined {
  if (typeof value === "boolean") return { type: "boolean" };
  if (typeof value === "string") return { type: "string" };
  if (typeof value === "number") return { type: "integer", minimum: 0 };
  return undefined;
}
