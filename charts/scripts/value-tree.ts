import { isAlias, isMap, isScalar, type Node, type Pair, type ParsedNode, parseDocument, type YAMLMap } from "yaml";

/** One key of values.yaml: a mapping whose keys are described themselves, or a value with its description. */
export type ValueNode =
  | { readonly kind: "group"; readonly keys: ReadonlyMap<string, ValueNode> }
  | { readonly kind: "value"; readonly default: unknown; readonly description: string };

const described = /^ -- (?<text>.*)$/;

/**
 * Reads values.yaml with the comments that describe its keys, `# -- text` right above the key.
 *
 * @throws Error that names a key which is neither described nor a mapping of keys
 */
export function readValueTree(text: string): ReadonlyMap<string, ValueNode> {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw error;
  if (!isMap(document.contents)) throw new Error("values.yaml is no mapping");
  const resolve = (node: Node | null): Node | undefined =>
    isAlias(node) ? node.resolve(document) : (node ?? undefined);
  return readKeys(document.contents, [], resolve);
}

type Resolve = (node: Node | null) => Node | undefined;

function readKeys(map: YAMLMap, path: readonly string[], resolve: Resolve): ReadonlyMap<string, ValueNode> {
  return new Map(
    map.items.map((pair, index) => {
      const { key, value } = pair as Pair<ParsedNode, ParsedNode | null>;
      const name = isScalar(key) ? String(key.value) : String(key);
      // The parser gives a comment before the first key to the mapping.
      const comment = key.commentBefore ?? (index === 0 ? map.commentBefore : undefined);
      return [name, readNode(resolve(value), comment, [...path, name], resolve)];
    }),
  );
}

function readNode(
  value: Node | undefined,
  comment: string | null | undefined,
  path: readonly string[],
  resolve: Resolve,
): ValueNode {
  const description = described.exec(comment?.split("\n").at(-1) ?? "")?.groups?.["text"];
  if (description !== undefined) return { kind: "value", default: value?.toJS(parseDocument("")), description };
  if (isMap(value) && value.items.length > 0) return { kind: "group", keys: readKeys(value, path, resolve) };
  throw new Error(`values.yaml: ${path.join(".")} has no description; write "# -- …" above it`);
}
