import { basename } from "node:path";
import ts from "typescript";
import type { Problem } from "./problem.ts";
import { nodesOf, placeOf } from "./source-file.ts";
import type { SourceFile } from "./source-file.ts";

const longestFileLines = 350;
const namelessFiles = new Set(["util", "utils", "helper", "helpers", "common", "type", "types", "misc", "shared"]);
const missingInNode22 = new Set(["DisposableStack", "AsyncDisposableStack", "SuppressedError"]);

/** Holds that a file says by its name what it is, is one thing, and runs on Node 22 as it stands. */
export function checkFileShape(files: readonly SourceFile[]): Problem[] {
  return files.flatMap((file) => [...nameProblems(file), ...sizeProblems(file), ...syntaxProblems(file)]);
}

function nameProblems({ path }: SourceFile): Problem[] {
  const name = basename(path).replace(/(\.test)?\.ts$/, "");
  if (namelessFiles.has(name)) return [{ place: path, message: "must be named after what it exports" }];
  const isPackageIndex = /^(packages|examples)\/[^/]+\/(template\/)?src\/index\.ts$/.test(path);
  return name === "index" && !isPackageIndex
    ? [{ place: path, message: "index.ts belongs only at the root of a package" }]
    : [];
}

function sizeProblems({ path, isTest, syntax }: SourceFile): Problem[] {
  const lines = syntax.text.split("\n").length - 1;
  if (isTest || lines <= longestFileLines) return [];
  return [
    { place: path, message: `has ${String(lines)} lines: more than ${String(longestFileLines)} hold two things` },
  ];
}

function syntaxProblems(file: SourceFile): Problem[] {
  return [...nodesOf(file.syntax)].flatMap((node) => {
    const name = nameMissingInNode22(node);
    return name === undefined ? [] : [{ place: placeOf(file, node), message: `Node 22 does not know ${name}` }];
  });
}

function nameMissingInNode22(node: ts.Node): string | undefined {
  if (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.Using) !== 0) return "`using` declarations";
  return ts.isIdentifier(node) && missingInNode22.has(node.text) ? node.text : undefined;
}
