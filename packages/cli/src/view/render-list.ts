import type { ResourceList } from "../admin/resource-report.ts";
import { renderResources, type RenderOptions } from "./render-resources.ts";

/** All resources of a host, below what is wrong with it and with them, and whose numbers they are. */
export function renderList(list: ResourceList, options: RenderOptions): string {
  const sorted = list.resources.toSorted((one, other) => (one.ref < other.ref ? -1 : 1));
  // An older host does not say what it is: it runs everything.
  const { role = "up" } = list as Partial<ResourceList>;
  const table = sorted.length === 0 ? "no resources" : renderResources(sorted, { ...options, role });
  const warnings = warningsOf(list, sorted).map((warning) => options.paint("red", warning));
  return [...warnings, ...describeHost(list).map((line) => options.paint("dim", line)), table].join("\n");
}

function warningsOf({ config, unlisted, silent = [] }: ResourceList, sorted: ResourceList["resources"]): string[] {
  return [
    ...(config.refused?.problems ?? []).map((problem) => `configuration refused, the old one stays: ${problem}`),
    ...unlisted.map(
      ({ scaler, code, message }) =>
        `scaler ${scaler} has not listed: ${code === undefined ? "it has just started" : `${code}: ${message ?? ""}`}`,
    ),
    ...silent.map(({ id, code }) => `${id} does not answer (${code}): what it has is not counted, and nothing sleeps`),
    ...sorted.flatMap(({ ref, refusal }) =>
      refusal === undefined ? [] : [`${ref} is left alone: ${refusal.code}: ${refusal.message}`],
    ),
  ];
}

/** What the numbers of a host among others are. */
function describeHost({ role, lead }: ResourceList): string[] {
  if (role === "dlx") return ["a DLX: requests are those of this one alone"];
  if (role !== "autoscaler") return [];
  const leader = lead?.leader === undefined ? "" : ` (${lead.leader} leads)`;
  const what = lead?.leads === false ? `an autoscaler that stands by${leader}` : "the autoscaler that leads";
  return [`${what}: requests are those of all DLXs together`];
}
