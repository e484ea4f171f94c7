import type { ScalerNames } from "./scaler-names.ts";

/** What the template calls itself; a name of each kind, the longest first. */
const placeholders = (names: ScalerNames): readonly (readonly [RegExp, string])[] => [
  [/dormouse-scaler-example/g, names.packageName],
  [/\bexample(?=[A-Z])/g, names.camel],
  [/EXAMPLE/g, names.kebab.replaceAll("-", "_").toUpperCase()],
  [/Example/g, names.pascal],
  [/example/g, names.kebab],
];

/** A text of the template with the scaler's names in it. */
export function fillIn(text: string, names: ScalerNames): string {
  return placeholders(names).reduce((filled, [pattern, name]) => filled.replaceAll(pattern, name), text);
}

/**
 * The path of a file of the template in the new folder. Files that tools would take for this repository's own, or that
 * npm does not pack, have an underscore before their names there.
 */
export function fillInPath(path: string, names: ScalerNames): string {
  return path === "_gitignore" ? ".gitignore" : fillIn(path, names).replace(/^_/, "");
}

/** The template's package.json for the version of Dormouse that wrote it. */
export function fillInManifest(text: string, names: ScalerNames, version: string): string {
  return fillIn(text, names).replaceAll(/("@dormouse\/[a-z-]+": "(?:\^|>=))[^"]*"/g, `$1${version}"`);
}
