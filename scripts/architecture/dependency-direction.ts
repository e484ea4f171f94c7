import { join, normalize } from "node:path";
import ts from "typescript";
import type { Problem } from "./problem.ts";
import { nodesOf, placeOf } from "./source-file.ts";
import type { SourceFile } from "./source-file.ts";
import type { Manifest, WorkspacePackage } from "./workspace-package.ts";

/** Which packages, by folder, one package may use; `scaler-*` stands for any scaler. */
interface Allowance {
  /** May be imported by sources, and listed as a dependency or a peer dependency. */
  readonly imports: readonly string[];
  /** May be listed as a dependency, but never imported: the host loads it by name. */
  readonly loads: readonly string[];
  /** May be imported by tests, and listed as a development dependency. */
  readonly tests: readonly string[];
  /** Must be a peer dependency, so that plugin and host share one copy. */
  readonly peers: readonly string[];
}

const onlyCore: Allowance = { imports: ["core"], loads: [], tests: [], peers: [] };

const allowances: Readonly<Record<string, Allowance>> = {
  core: { ...onlyCore, imports: [] },
  autoscaler: onlyCore,
  dlx: onlyCore,
  kubernetes: { ...onlyCore, tests: ["test-kubernetes"], peers: ["core"] },
  "http-json": { ...onlyCore, peers: ["core"] },
  conformance: { ...onlyCore, peers: ["core"] },
  "scaler-*": { ...onlyCore, tests: ["conformance", "test-docker", "test-kubernetes"], peers: ["core"] },
  "scaler-k8s-deployment": {
    imports: ["core", "kubernetes"],
    loads: [],
    tests: ["conformance", "test-kubernetes"],
    peers: ["core"],
  },
  "create-scaler": { imports: [], loads: [], tests: ["core", "conformance"], peers: [] },
  "scaler-http": { imports: ["core", "http-json"], loads: [], tests: ["conformance"], peers: ["core"] },
  cli: { imports: ["core", "autoscaler", "dlx"], loads: ["scaler-*", "http-json"], tests: [], peers: [] },
};

/** Holds who may know whom: core nobody, everything else only core, the command line interface all but scalers. */
export function checkDependencyDirection(packages: readonly WorkspacePackage[]): Problem[] {
  return packages.flatMap((each) => {
    const allowance = allowances[each.folder] ?? allowances[kindOf(each.folder)];
    if (allowance === undefined) return [{ place: each.path, message: "no rule says what this package may use" }];
    return [...manifestProblems(each, allowance), ...importProblems(each, allowance)];
  });
}

function kindOf(folder: string): string {
  return folder.startsWith("scaler-") ? "scaler-*" : folder;
}

function manifestProblems({ path, manifest }: WorkspacePackage, allowance: Allowance): Problem[] {
  const place = join(path, "package.json");
  const shipped = workspaceDependencies(manifest, ["dependencies", "optionalDependencies", "peerDependencies"]);
  const development = workspaceDependencies(manifest, ["devDependencies"]);
  const peers = workspaceDependencies(manifest, ["peerDependencies"]);
  const direct = workspaceDependencies(manifest, ["dependencies", "optionalDependencies"]);
  const mayShip = [...allowance.imports, ...allowance.loads];
  const mayDevelop = [...allowance.imports, ...allowance.tests];
  return [
    ...shipped
      .filter((name) => !mayShip.includes(kindOf(name)))
      .map((name) => ({ place, message: `must not depend on ${name}` })),
    ...development
      .filter((name) => !mayDevelop.includes(kindOf(name)))
      .map((name) => ({ place, message: `must not depend on ${name} in development` })),
    ...allowance.peers
      .filter((name) => !peers.includes(name) || direct.includes(name))
      .map((name) => ({ place, message: `must have ${name} as a peer dependency only` })),
  ];
}

type DependencyField = "dependencies" | "devDependencies" | "optionalDependencies" | "peerDependencies";

function workspaceDependencies(manifest: Manifest, fields: readonly DependencyField[]): string[] {
  return fields
    .flatMap((field) => Object.keys(manifest[field] ?? {}))
    .map(workspaceFolder)
    .filter((name) => name !== undefined);
}

/** The folder that a specifier of ours leads to: `@dormouse/core/testing` is `core`. */
function workspaceFolder(specifier: string): string | undefined {
  return /^@dormouse\/([^/]+)/.exec(specifier)?.[1];
}

function importProblems(each: WorkspacePackage, allowance: Allowance): Problem[] {
  return each.files.flatMap((file) => {
    const allowed = file.isTest ? [...allowance.imports, ...allowance.tests, each.folder] : allowance.imports;
    return importsOf(file)
      .filter(({ specifier }) => !isAllowed(each, file, specifier, allowed))
      .map(({ specifier, node }) => ({ place: placeOf(file, node), message: `must not import ${specifier}` }));
  });
}

function isAllowed(each: WorkspacePackage, file: SourceFile, specifier: string, allowed: readonly string[]): boolean {
  if (specifier.startsWith(".")) return normalize(join(file.path, "..", specifier)).startsWith(join(each.path, "/"));
  const folder = workspaceFolder(specifier);
  return folder === undefined || allowed.includes(kindOf(folder));
}

interface Import {
  readonly specifier: string;
  readonly node: ts.Node;
}

/** Imports, re-exports, type imports and dynamic imports of a literal. */
function importsOf(file: SourceFile): Import[] {
  return [...nodesOf(file.syntax)].flatMap((node) => {
    const specifier = specifierOf(node);
    return specifier !== undefined && ts.isStringLiteralLike(specifier) ? [{ specifier: specifier.text, node }] : [];
  });
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  const isDynamicImport = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isDynamicImport ? node.arguments[0] : undefined;
}
