import ts from "typescript";
import type { Problem } from "./problem.ts";
import { nodesOf, placeOf } from "./source-file.ts";
import type { SourceFile } from "./source-file.ts";
import type { WorkspacePackage } from "./workspace-package.ts";

/** A file that may name something ambient all the same, and why. */
export interface AmbientException {
  readonly file: string;
  /** As the rule prints it: `setTimeout`, `process.env`. */
  readonly name: string;
  readonly reason: string;
}

const timeOwner = "packages/core/src/system-clock.ts";
const environmentOwner = "packages/cli/";

const timeGlobals = new Set(["setTimeout", "setInterval", "clearTimeout", "clearInterval"]);
const timeMembers = new Set(["Date.now", "performance.now", "process.hrtime", "AbortSignal.timeout"]);
const environmentMembers = new Set(["process.env", "process.argv"]);
const timeModules = new Set(["timers", "timers/promises", "node:timers", "node:timers/promises"]);
const processModules = new Set(["process", "node:process"]);

/** Holds that time comes from a `Clock`, and environment and arguments from the command line interface. */
export function checkAmbientAccess(
  packages: readonly WorkspacePackage[],
  exceptions: readonly AmbientException[],
): Problem[] {
  const sources = packages.flatMap(({ path, files }) =>
    files.filter((file) => !file.isTest && file.path.startsWith(`${path}/src/`)),
  );
  const found = sources.flatMap((file) => ambientNames(file).map((name) => ({ file, ...name })));
  const isExcepted = (path: string, name: string): boolean =>
    exceptions.some((each) => each.file === path && each.name === name);
  const unused = exceptions.filter(
    ({ file, name }) => !found.some((each) => each.file.path === file && each.name === name),
  );
  return [
    ...found
      .filter(({ file, name }) => !isOwner(file.path, name) && !isExcepted(file.path, name))
      .map(({ file, node, name }) => ({ place: placeOf(file, node), message: adviceFor(name) })),
    ...unused.map(({ file, name }) => ({
      place: file,
      message: `does not name ${name} any more: remove the exception`,
    })),
  ];
}

function isOwner(path: string, name: string): boolean {
  return environmentMembers.has(name) ? path.startsWith(environmentOwner) : path === timeOwner;
}

function adviceFor(name: string): string {
  if (environmentMembers.has(name)) return `must not read ${name}: only the command line interface does`;
  return `must not name ${name}: take a Clock`;
}

interface AmbientName {
  readonly name: string;
  readonly node: ts.Node;
}

function ambientNames(file: SourceFile): AmbientName[] {
  return [...nodesOf(file.syntax)].flatMap((node) => ambientNamesAt(node).map((name) => ({ name, node })));
}

function ambientNamesAt(node: ts.Node): string[] {
  if (ts.isImportDeclaration(node)) return importedNames(node);
  if (ts.isNewExpression(node))
    return node.expression.getText() === "Date" && (node.arguments?.length ?? 0) === 0 ? ["new Date()"] : [];
  if (ts.isCallExpression(node) && node.expression.getText() === "Date") return ["Date()"];
  const name = memberName(node) ?? (isGlobalTimer(node) ? node.getText() : undefined);
  return name !== undefined && (timeMembers.has(name) || environmentMembers.has(name) || timeGlobals.has(name))
    ? [name]
    : [];
}

function importedNames(node: ts.ImportDeclaration): string[] {
  const specifier = ts.isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : "";
  if (timeModules.has(specifier)) return [specifier];
  if (!processModules.has(specifier)) return [];
  const bindings = node.importClause?.namedBindings;
  const names = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : [];
  return names
    .map((element) => `process.${(element.propertyName ?? element.name).text}`)
    .filter((name) => environmentMembers.has(name));
}

/** `Date.now`, `globalThis.Date.now` and `process["env"]` as `Date.now` and `process.env`. */
function memberName(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) return withoutGlobalThis(`${node.expression.getText()}.${node.name.text}`);
  if (!ts.isElementAccessExpression(node) || !ts.isStringLiteralLike(node.argumentExpression)) return undefined;
  return withoutGlobalThis(`${node.expression.getText()}.${node.argumentExpression.text}`);
}

function withoutGlobalThis(name: string): string {
  return name.replace(/^(globalThis|global)\./, "");
}

/** `setTimeout` as a value of its own; `socket.setTimeout(…)` belongs to the socket, and an import is its module's. */
function isGlobalTimer(node: ts.Node): node is ts.Identifier {
  if (!ts.isIdentifier(node) || !timeGlobals.has(node.text)) return false;
  const { parent } = node;
  if (ts.isImportSpecifier(parent)) return false;
  const isNameOfMember =
    ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent);
  const isNameOfMethod = ts.isMethodDeclaration(parent) || ts.isMethodSignature(parent);
  return !((isNameOfMember || isNameOfMethod) && parent.name === node);
}
