import { resolveRef } from "../client/resolve-ref.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { hasColor, type Terminal, write } from "../terminal.ts";
import { createPaint } from "../view/paint.ts";
import { renderWhy } from "../view/render-why.ts";
import type { GlobalOptions } from "./global-options.ts";
import { runWithAdmin } from "./run-with-admin.ts";

/** `dormouse why REF`: why a resource is in its state, and what comes next. */
export function why(text: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { stdout, environment, clock } = terminal;
  return runWithAdmin(options, terminal, async (client) => {
    const { resources } = await client.list();
    const report = await client.why(
      resolveRef(
        text,
        resources.map(({ ref }) => ref),
      ),
    );
    const paint = createPaint(hasColor(stdout, environment));
    await write(
      stdout,
      options.output === "json" ? JSON.stringify(report, null, 2) : renderWhy(report, { now: clock.now(), paint }),
    );
    return exitCode.done;
  });
}
