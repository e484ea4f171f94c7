import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
} from "yaml";
import type { Problem } from "./problem.ts";
import { RefusedConfig } from "./refused-config.ts";

/** Longer files are taken for a mistake; also bounds what a watched file can cost. */
const mostCharacters = 4_000_000;

/** A parsed YAML file that still knows where each of its keys stands. */
export interface YamlSource {
  /** Plain objects, lists, texts, numbers, booleans and null. */
  readonly value: unknown;
  /** `file:line:column` of a key or list entry, or of the nearest one above it that exists; lines and columns from 1. */
  locate(path: readonly (string | number)[]): string;
}

/**
 * Reads YAML 1.2 (so also JSON). Keys that stand twice, unknown tags and several documents in one file are errors.
 * @throws RefusedConfig that names the line of every syntax error
 */
export function parseYaml(text: string, file: string): YamlSource {
  if (text.length > mostCharacters) throw refused(file, "is longer than 4,000,000 characters", "is it the right file?");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, version: "1.2" });
  const errors = [...document.errors, ...document.warnings];
  if (errors.length > 0) throw new RefusedConfig(errors.map((error) => toProblem(error, file, lines)));
  if (document.contents === null) throw refused(file, "is empty", "dormouse init writes one to begin with");
  return { value: toValue(document, file), locate: (path) => locate(document, path, { file, lines }) };
}

function refused(file: string, problem: string, mend: string): RefusedConfig {
  return new RefusedConfig([{ origin: file, place: "", problem, mend }]);
}

function toProblem(error: YAMLError, file: string, lines: LineCounter): Problem {
  const { line, col } = lines.linePos(error.pos[0]);
  return { origin: `${file}:${line}:${col}`, place: "", problem: `is no YAML: ${firstLine(error.message)}` };
}

function firstLine(message: string): string {
  return message.split("\n")[0]?.replace(/[.:]?$/, "") ?? message;
}

/** Aliases that multiply without end make the library throw here. */
function toValue(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    throw refused(
      file,
      `is no usable YAML: ${error instanceof Error ? error.message : String(error)}`,
      "write the aliases out",
    );
  }
}

interface Within {
  readonly file: string;
  readonly lines: LineCounter;
}

function locate(document: Document, path: readonly (string | number)[], { file, lines }: Within): string {
  let offset = document.contents?.range?.[0] ?? 0;
  let node: unknown = document.contents;
  for (const key of path) {
    const found = below(isAlias(node) ? node.resolve(document) : node, key);
    if (found === undefined) break;
    offset = found.offset ?? offset;
    node = found.node;
  }
  if (path.length === 0) return file;
  const { line, col } = lines.linePos(offset);
  return `${file}:${line}:${col}`;
}

/** The value under a key, and where the key (of a mapping) or the entry (of a list) begins. */
function below(
  node: unknown,
  key: string | number,
): { readonly node: unknown; readonly offset: number | undefined } | undefined {
  if (isSeq(node) && typeof key === "number") {
    const item = node.items[key];
    return item === undefined ? undefined : { node: item, offset: (item as Node).range?.[0] };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((each) => isScalar(each.key) && String(each.key.value) === String(key));
  return pair === undefined ? undefined : { node: pair.value, offset: (pair.key as Node).range?.[0] };
}
