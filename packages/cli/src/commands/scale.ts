import type { ScaleEvent } from "@dormouse/core";
import { resolveRef } from "../client/resolve-ref.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { type Terminal, write } from "../terminal.ts";
import { describePhases } from "../view/describe-event.ts";
import { formatSpan } from "../view/format-span.ts";
import type { GlobalOptions } from "./global-options.ts";
import { runWithAdmin } from "./run-with-admin.ts";

export interface ScaleOptions extends GlobalOptions {
  /** For the event and `why`. */
  readonly reason?: string;
}

/** `dormouse wake REF` and `dormouse sleep REF`: waits for the end and says what came of it. */
export function scale(
  operation: "wake" | "sleep",
  text: string,
  options: ScaleOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return runWithAdmin(options, terminal, async (client) => {
    const { resources } = await client.list();
    const ref = resolveRef(
      text,
      resources.map((resource) => resource.ref),
    );
    const event = await client.scale(ref, operation, { reason: options.reason ?? `dormouse ${operation}` });
    await write(terminal.stdout, options.output === "json" ? JSON.stringify(event, null, 2) : describeResult(event));
    return event.outcome === "done" ? exitCode.done : exitCode.failed;
  });
}

function describeResult({ kind, resource, outcome, from, to, tookMs, phases, reason, code }: ScaleEvent): string {
  const took = tookMs === undefined ? "" : ` in ${formatSpan(tookMs)}${describePhases(phases)}`;
  const state = kind === "wake" ? "awake" : "asleep";
  if (outcome === "done") return from === to ? `${resource} was ${state} already` : `${resource} is ${state}${took}`;
  return `${resource} ${outcome === "failed" ? "failed" : "stays as it is"}: ${code === undefined ? "" : `${code}: `}${reason}`;
}
