import type { PortPlugin, PortKind } from "./define-plugin.ts";
import { contractVersion, type ScalerPlugin } from "./resource-scaler.ts";
import { ScalerError } from "./scaler-error.ts";

/**
 * The plugin that a module exports under a name.
 *
 * @param use as the configuration names it, for messages
 * @throws ScalerError `PLUGIN_CONTRACT` for another contract, `PLUGIN_INVALID` that names each wrong member
 */
export function pluginOf(module: object, exportName: "scaler" | PortKind, use: string): ScalerPlugin | PortPlugin {
  const plugin: unknown = Reflect.get(module, exportName);
  if (plugin === undefined) throw invalid(use, [`it has no export "${exportName}"; ${exportsOf(module)}`]);
  if (typeof plugin !== "object" || plugin === null) throw invalid(use, [`its export "${exportName}" is no object`]);
  const contract: unknown = Reflect.get(plugin, "contract");
  if (typeof contract === "number" && contract !== contractVersion) throw otherContract(use, contract);
  const problems = problemsOf(plugin, exportName);
  if (problems.length > 0) throw invalid(use, problems);
  return plugin as ScalerPlugin | PortPlugin;
}

function exportsOf(module: object): string {
  const names = Object.keys(module).toSorted();
  return names.length === 0
    ? "it exports nothing"
    : `it exports ${names.slice(0, 10).join(", ")}${names.length > 10 ? ", …" : ""}`;
}

function problemsOf(plugin: object, kind: string): string[] {
  const { contract, kind: ownKind, name, options, create, reconfigure } = plugin as Readonly<Record<string, unknown>>;
  const maker = kind === "scaler" ? "defineScaler" : "definePort";
  return [
    ...(contract === contractVersion ? [] : [`contract must be ${contractVersion}, not ${String(contract)}`]),
    ...(ownKind === kind ? [] : [`kind must be "${kind}", not ${JSON.stringify(ownKind)} (make it by ${maker})`]),
    ...(typeof name === "string" && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)
      ? []
      : [`name must be kebab-case, not ${JSON.stringify(name)}`]),
    ...(isStandardSchema(options) ? [] : ["options must be a Standard Schema"]),
    ...(typeof create === "function" ? [] : ["create must be a function"]),
    ...(reconfigure === undefined || typeof reconfigure === "function"
      ? []
      : ["reconfigure must be a function or left out"]),
  ];
}

/** Schemas are objects, and functions in some libraries. */
function isStandardSchema(value: unknown): boolean {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return false;
  const standard: unknown = Reflect.get(value, "~standard");
  return typeof standard === "object" && standard !== null && typeof Reflect.get(standard, "validate") === "function";
}

function invalid(use: string, problems: readonly string[]): ScalerError {
  return new ScalerError("PLUGIN_INVALID", `plugin "${use}" is not of the contract's form: ${problems.join("; ")}`);
}

function otherContract(use: string, contract: number): ScalerError {
  const mend =
    contract > contractVersion
      ? "install a newer Dormouse, or an older version of the plugin"
      : "install a newer version of the plugin";
  return new ScalerError(
    "PLUGIN_CONTRACT",
    `plugin "${use}" is made for contract ${contract}, and this Dormouse has contract ${contractVersion}; ${mend}`,
  );
}
