import { toMarkdownTable } from "../../packages/core/scripts/markdown-table.ts";
import type { ValueNode } from "./value-tree.ts";

/** A table of all values: path, default, description. */
export function toValuesTable(tree: ReadonlyMap<string, ValueNode>): string {
  return toMarkdownTable(["Key", "Default", "Description"], rowsOf(tree, ""));
}

function rowsOf(keys: ReadonlyMap<string, ValueNode>, prefix: string): string[][] {
  return [...keys].flatMap(([key, node]) => {
    const path = `${prefix}${key}`;
    return node.kind === "group"
      ? rowsOf(node.keys, `${path}.`)
      : [[`\`${path}\``, describeDefault(node.default), node.description]];
  });
}

function describeDefault(value: unknown): string {
  const isNothing = value === null || value === undefined || value === "";
  return isNothing ? "–" : `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}
