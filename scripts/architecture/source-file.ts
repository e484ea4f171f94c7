import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** A TypeScript file of the workspace, parsed. */
export interface SourceFile {
  /** Path from the workspace root. */
  readonly path: string;
  /** Whether no user of the package runs it: `*.test.ts`, anything in a `test` folder, or in a `template` that gets copied. */
  readonly isTest: boolean;
  readonly syntax: ts.SourceFile;
}

/** Every TypeScript file under `folder`, a path from `root`; none where the folder does not exist. */
export function readSourceFiles(root: string, folder: string): SourceFile[] {
  if (!existsSync(join(root, folder))) return [];
  const isForeign = (name: string): boolean => name === "node_modules" || name === "dist";
  const paths = globSync("**/*.ts", { cwd: join(root, folder), exclude: isForeign });
  return paths.sort().map((path) => readSourceFile(root, join(folder, path)));
}

function readSourceFile(root: string, path: string): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return { path, isTest: /\.test\.ts$|\/(test|template)\//.test(path), syntax };
}

/** Every node of a file, parents before their children. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  for (const child of node.getChildren()) yield* nodesOf(child);
}

/** `path:line` of a node. */
export function placeOf(file: SourceFile, node: ts.Node): string {
  const { line } = file.syntax.getLineAndCharacterOfPosition(node.getStart());
  return `${file.path}:${String(line + 1)}`;
}
