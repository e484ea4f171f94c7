import type { ResourceList } from "../admin/resource-report.ts";
import { renderResources, type RenderOptions } from "./render-resources.ts";

/** All resources of a host, below what is wrong with it and with them. */
export function renderList({ resources, config, unlisted }: ResourceList, options: RenderOptions): string {
  const sorted = resources.toSorted((one, other) => (one.ref < other.ref ? -1 : 1));
  const warnings = [
    ...(config.refused?.problems ?? []).map((problem) => `configuration refused, the old one stays: ${problem}`),
    ...unlisted.map(
      ({ scaler, code, message }) =>
        `scaler ${scaler} has not listed: ${code === undefined ? "it has just started" : `${code}: ${message ?? ""}`}`,
    ),
    ...sorted.flatMap(({ ref, refusal }) =>
      refusal === undefined ? [] : [`${ref} is left alone: ${refusal.code}: ${refusal.message}`],
    ),
  ];
  const table = sorted.length === 0 ? "no resources" : renderResources(sorted, options);
  return [...warnings.map((warning) => options.paint("red", warning)), table].join("\n");
}
