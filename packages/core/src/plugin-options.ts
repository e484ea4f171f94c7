import type { StandardSchemaV1 } from "@standard-schema/spec";
import { ConfigError, isConfigError, toConfigErrorBelow } from "./config-error.ts";
import { isScalerError, ScalerError } from "./scaler-error.ts";
import { toConfigIssues } from "./to-config-issues.ts";

/**
 * A plugin's options as its own schema reads them. Options that are left out are read as `{}`.
 * @throws ConfigError with places below `place`; ScalerError `PLUGIN_INVALID` where the schema itself fails
 */
export async function parsePluginOptions<Options>(
  plugin: { readonly name: string; readonly options: StandardSchemaV1<unknown, Options> },
  raw: unknown,
  place: string,
): Promise<Options> {
  const schema = plugin.options;
  const written = raw ?? {};
  const result = await validate(plugin.name, schema, written);
  if (result.issues === undefined) return result.value;
  throw new ConfigError(toConfigIssues(result.issues, { schema, written, place }));
}

async function validate<Options>(name: string, schema: StandardSchemaV1<unknown, Options>, written: unknown) {
  try {
    return await schema["~standard"].validate(written);
  } catch (cause) {
    throw new ScalerError("PLUGIN_INVALID", `the options schema of plugin "${name}" threw: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** What an opening or reconfiguring call rejected with: a ConfigError of the plugin is about its options, so its places go below `place`. */
export function toOpenError(error: unknown, place: string): unknown {
  const isAboutOptions = isScalerError(error) && error.code === "CONFIG_INVALID" && isConfigError(error.cause);
  return isAboutOptions ? toConfigErrorBelow(place, error.cause as ConfigError) : error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
