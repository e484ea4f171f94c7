import { existsSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import type { Problem } from "./problem.ts";
import { nodesOf } from "./source-file.ts";
import type { SourceFile } from "./source-file.ts";
import type { WorkspacePackage } from "./workspace-package.ts";

/** Holds that every scaler has the same files, and a test that runs the conformance kit on it. */
export function checkScalerSkeleton(packages: readonly WorkspacePackage[]): Problem[] {
  return packages.filter(({ folder }) => folder.startsWith("scaler-")).flatMap(skeletonProblems);
}

function skeletonProblems({ folder, path, root, files }: WorkspacePackage): Problem[] {
  const name = folder.slice("scaler-".length);
  const expected = [
    "README.md",
    ...["index", `${name}-scaler`, `${name}-options`, `${name}-error`].map((file) => `src/${file}.ts`),
  ];
  const missing = expected.filter((file) => !existsSync(join(root, path, file)));
  const problems = missing.map((file) => ({ place: join(path, file), message: "is missing: every scaler has it" }));
  if (files.some((file) => file.isTest && callsConformanceKit(file))) return problems;
  return [...problems, { place: path, message: "has no test that calls the conformance kit" }];
}

function callsConformanceKit(file: SourceFile): boolean {
  const kit = new Set(file.syntax.statements.flatMap(conformanceImports));
  return [...nodesOf(file.syntax)].some((node) => ts.isCallExpression(node) && kit.has(node.expression.getText()));
}

/** The names that a statement imports from the kit as values. */
function conformanceImports(statement: ts.Statement): string[] {
  if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) return [];
  const clause = statement.importClause;
  if (!statement.moduleSpecifier.text.startsWith("@dormouse/conformance") || clause === undefined) return [];
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return [];
  const bindings = clause.namedBindings;
  return bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements.map(({ name }) => name.text) : [];
}
