import { type ExitCode, exitCode } from "../exit-code.ts";
import { hasColor, type Terminal, widthOf, write } from "../terminal.ts";
import { createPaint } from "../view/paint.ts";
import { renderList } from "../view/render-list.ts";
import type { RenderOptions } from "../view/render-resources.ts";
import type { GlobalOptions } from "./global-options.ts";
import { runWithAdmin } from "./run-with-admin.ts";

/** `dormouse ls`: all resources of a host. */
export function ls(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  return runWithAdmin(options, terminal, async (client) => {
    const list = await client.list();
    await write(
      terminal.stdout,
      options.output === "json" ? JSON.stringify(list, null, 2) : renderList(list, optionsOf(terminal)),
    );
    return exitCode.done;
  });
}

function optionsOf({ stdout, environment, clock }: Terminal): RenderOptions {
  return { now: clock.now(), width: widthOf(stdout), paint: createPaint(hasColor(stdout, environment)) };
}
