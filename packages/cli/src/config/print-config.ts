import { configSchema, type DormouseConfig } from "@dormouse/core";
import { stringify } from "yaml";
import { isSecretKey, isSecretReference } from "./secrets.ts";

/** What stands for a secret that is written out. */
const mask = "********";

/** The whole effective configuration, defaults included and durations as people write them, with every secret masked. */
export function maskConfig(config: DormouseConfig): unknown {
  return maskBelow(configSchema.encode(config), false);
}

/** The same as YAML that `check` accepts, unless something was masked. */
export function printConfig(config: DormouseConfig): string {
  return stringify(maskConfig(config), { lineWidth: 0, aliasDuplicateObjects: false });
}

/** References (`{ env }`, `{ file }`) say where a secret is and stay; texts under secret keys and passwords in URLs do not. */
function maskBelow(value: unknown, isSecret: boolean): unknown {
  if (Array.isArray(value)) return value.map((entry) => maskBelow(entry, isSecret));
  if (typeof value === "object" && value !== null) {
    const isHidden = isSecret && !isSecretReference(value);
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, maskBelow(inner, isHidden || isSecretKey(key))]),
    );
  }
  if (isSecret && value !== null && value !== undefined) return mask;
  return typeof value === "string" ? value.replace(/(\w+:\/\/[^/\s:@]*:)[^/\s@]+@/g, `$1${mask}@`) : value;
}
