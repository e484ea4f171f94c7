import { quote } from "./http-failure.ts";
import type { JsonPath } from "./json-path.ts";

/** The one finite number that a path leads to, or why there is none. */
export type ReadNumber = { readonly value: number } | { readonly problem: string };

/** Reads a number out of a document. A text that looks like one is none, and what is missing is never 0. */
export function readNumber(path: JsonPath, document: unknown): ReadNumber {
  const found = valuesOf(path, document);
  if ("problem" in found) return found;
  const [value, ...more] = found.values;
  if (found.values.length === 0) return { problem: "leads nowhere" };
  if (more.length > 0) return { problem: `leads to ${String(found.values.length)} values, not to one` };
  if (typeof value === "number" && Number.isFinite(value)) return { value };
  return { problem: `leads to ${quote(JSON.stringify(value) ?? "nothing")}, which is no number` };
}

function valuesOf(
  path: JsonPath,
  document: unknown,
): { readonly values: readonly unknown[] } | { readonly problem: string } {
  try {
    return { values: path.values(document) };
  } catch (error) {
    return { problem: `cannot be searched for: ${error instanceof Error ? error.message : String(error)}` };
  }
}
