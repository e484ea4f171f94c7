import type { ResourceList } from "../admin/resource-report.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { hasColor, type Terminal, widthOf, write } from "../terminal.ts";
import { createPaint } from "../view/paint.ts";
import { renderResources } from "../view/render-resources.ts";
import type { GlobalOptions } from "./global-options.ts";
import { runWithAdmin } from "./run-with-admin.ts";

/** `dormouse ls`: all resources of a host. */
export function ls(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  return runWithAdmin(options, terminal, async (client) => {
    const list = await client.list();
    await write(
      terminal.stdout,
      options.output === "json" ? JSON.stringify(list, null, 2) : renderList(list, terminal),
    );
    return exitCode.done;
  });
}

function renderList(list: ResourceList, { stdout, environment, clock }: Terminal): string {
  const paint = createPaint(hasColor(stdout, environment));
  const sorted = list.resources.toSorted((one, other) => (one.ref < other.ref ? -1 : 1));
  // An older host does not say what it is: it runs everything.
  const { role = "up" } = list as Partial<ResourceList>;
  const table =
    sorted.length === 0
      ? "no resources"
      : renderResources(sorted, { now: clock.now(), width: widthOf(stdout), paint, role });
  const warnings = warningsOf(list).map((warning) => paint("red", warning));
  return [...warnings, ...describeHost(list).map((line) => paint("dim", line)), table].join("\n");
}

function warningsOf({ config, unlisted, silent = [] }: ResourceList): string[] {
  return [
    ...(config.refused?.problems ?? []).map((problem) => `configuration refused, the old one stays: ${problem}`),
    ...unlisted.map(
      ({ scaler, code, message }) =>
        `scaler ${scaler} has not listed: ${code === undefined ? "it has just started" : `${code}: ${message ?? ""}`}`,
    ),
    ...silent.map(({ id, code }) => `${id} does not answer (${code}): what it has is not counted, and nothing sleeps`),
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
