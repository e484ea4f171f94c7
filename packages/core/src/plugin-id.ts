import type { PluginConfig } from "./config-schema.ts";

/**
 * The id of a configured plugin: the one it is given, else the short name of what it uses. `@dormouse/scaler-process`
 * and `process` give `process`, `@acme/dormouse-scaler-nomad` gives `nomad`, `./plugins/mine.ts` gives `mine`.
 */
export function pluginId(plugin: Pick<PluginConfig, "use"> & { readonly id?: string | undefined }): string {
  return plugin.id ?? shortName(plugin.use);
}

function shortName(use: string): string {
  const last = use.replace(/\/+$/, "").split("/").at(-1) ?? use;
  return last
    .replace(/\.[cm]?[jt]s$/, "")
    .replace(/^dormouse-/, "")
    .replace(/^(scaler|metrics|routes|peers|leader)-(?=.)/, "");
}
