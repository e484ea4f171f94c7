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

function renderList({ resources, config, unlisted }: ResourceList, { stdout, environment, clock }: Terminal): string {
  const paint = createPaint(hasColor(stdout, environment));
  const sorted = resources.toSorted((one, other) => (one.ref < other.ref ? -1 : 1));
  const warnings = [
    ...(config.refused?.problems ?? []).map((problem) => `configuration refused, the old one stays: ${problem}`),
    ...unlisted.map(
      ({ scaler, code, message }) =>
        `scaler ${scaler} has not listed: ${code === undefined ? "it has just started" : `${code}: ${message ?? ""}`}`,
    ),
  ];
  const table =
    sorted.length === 0 ? "no resources" : renderResources(sorted, { now: clock.now(), width: widthOf(stdout), paint });
  return [...warnings.map((warning) => paint("red", warning)), table].join("\n");
}
