import validatePackageName from "validate-npm-package-name";
import { UsageError } from "./usage-error.ts";

/** Everything that a new scaler is called. */
export interface ScalerNames {
  /** Of the npm package: `dormouse-scaler-nomad`, `@acme/dormouse-scaler-nomad`. */
  readonly packageName: string;
  /** Folder that it goes into where nobody says otherwise: the package's name without its scope. */
  readonly folder: string;
  /** The platform: `cloud-run`. Files, and the plugin's own name. */
  readonly kebab: string;
  /** `cloudRun`: values. */
  readonly camel: string;
  /** `CloudRun`: classes. */
  readonly pascal: string;
}

/**
 * Names of a scaler, from the one that was given: a platform (`nomad`), which becomes `dormouse-scaler-nomad`, or a whole
 * package name, known by its scope or by the word "scaler" in it.
 * @throws UsageError where npm would refuse the name, or no class could have it
 */
export function toScalerNames(given: string): ScalerNames {
  const isWhole = given.startsWith("@") || given.includes("scaler");
  const packageName = isWhole ? given : `dormouse-scaler-${given}`;
  const { validForNewPackages, errors = [], warnings = [] } = validatePackageName(packageName);
  if (!validForNewPackages) throw new UsageError(describeRefusal(given, [...errors, ...warnings]));
  const folder = packageName.slice(packageName.indexOf("/") + 1);
  const kebab = platformIn(folder);
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(kebab) || kebab === "scaler") {
    throw new UsageError(
      `"${given}" leaves no platform to name classes after; write it in kebab-case after a letter, for example "cloud-run"`,
    );
  }
  const pascal = kebab.replaceAll(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return { packageName, folder, kebab, camel: pascal.slice(0, 1).toLowerCase() + pascal.slice(1), pascal };
}

/** `nomad` of `dormouse-scaler-nomad`, `scaler-nomad`, `nomad-scaler` or `nomad`. */
function platformIn(folder: string): string {
  return folder.replace(/^(dormouse-)?(scaler-)?/, "").replace(/-scaler$/, "");
}

function describeRefusal(given: string, reasons: readonly string[]): string {
  const hint = /[/\\.~]/.test(given) ? "; the folder is chosen by --folder" : "";
  return `"${given}" is no name for an npm package: ${reasons.join("; ")}${hint}. Write for example "nomad" or "@acme/dormouse-scaler-nomad"`;
}
