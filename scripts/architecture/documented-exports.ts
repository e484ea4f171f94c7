import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import type { Problem } from "./problem.ts";
import type { WorkspacePackage } from "./workspace-package.ts";

/** Holds that everything a package exports has a doc comment where it is declared. */
export function checkDocumentedExports(packages: readonly WorkspacePackage[]): Problem[] {
  const entryPoints = packages.flatMap((each) => entryPointsOf(each).map((file) => ({ each, file })));
  const program = ts.createProgram(
    entryPoints.map(({ file }) => file),
    {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ESNext,
      customConditions: ["@dormouse/source"],
      allowImportingTsExtensions: true,
      noEmit: true,
      // Comments are all that is asked for, so no library is loaded.
      noLib: true,
      types: [],
    },
  );
  const problems = entryPoints.flatMap(({ each, file }) => undocumentedExports(program, each, file));
  return [...new Map(problems.map((problem) => [`${problem.place} ${problem.message}`, problem])).values()];
}

/** The source files behind the exports of a package. */
function entryPointsOf({ root, path, manifest }: WorkspacePackage): string[] {
  const targets = Object.values(manifest.exports ?? {});
  const sources = targets.map((target) => (typeof target === "string" ? undefined : target["@dormouse/source"]));
  return sources
    .filter((file) => file !== undefined)
    .map((file) => join(root, path, file))
    .filter((file) => existsSync(file));
}

function undocumentedExports(program: ts.Program, each: WorkspacePackage, entryPoint: string): Problem[] {
  const checker = program.getTypeChecker();
  const syntax = program.getSourceFile(entryPoint);
  const module = syntax && checker.getSymbolAtLocation(syntax);
  if (module === undefined) return [];
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const declaration = symbol.declarations?.[0];
    const isOurs = declaration?.getSourceFile().fileName.startsWith(join(each.root, each.path, "/")) === true;
    if (!isOurs || symbol.getDocumentationComment(checker).length > 0) return [];
    return [
      { place: declarationPlace(each.root, declaration), message: `exports ${exported.name} without a doc comment` },
    ];
  });
}

function declarationPlace(root: string, declaration: ts.Declaration): string {
  const file = declaration.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(declaration.getStart());
  return `${relative(root, file.fileName)}:${String(line + 1)}`;
}
