import { backoffMs, type ScaleEvent } from "@dormouse/core";
import type { AdminClient } from "../client/admin-client.ts";
import { AdminFailure } from "../client/admin-failure.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { type Terminal, write } from "../terminal.ts";
import { describeEvent } from "../view/describe-event.ts";
import type { GlobalOptions } from "./global-options.ts";
import { runWithAdmin } from "./run-with-admin.ts";

export interface EventsOptions extends GlobalOptions {
  /** Goes on until Ctrl-C. */
  readonly follow?: boolean;
}

/** Ends a following; SIGINT where left out. */
export type UntilInterrupted = (interrupt: () => void) => Disposable;

/** `dormouse events`: what the host did lately, and with `--follow` what it does. */
export function events(
  options: EventsOptions,
  terminal: Terminal,
  untilInterrupted: UntilInterrupted = onSignal,
): Promise<ExitCode> {
  const print = (event: ScaleEvent): Promise<void> =>
    write(terminal.stdout, options.output === "json" ? JSON.stringify(event) : describeEvent(event));
  return runWithAdmin(options, terminal, async (client) => {
    if (options.follow !== true) {
      for (const event of await client.events()) await print(event);
      return exitCode.done;
    }
    const abort = new AbortController();
    const interruption = untilInterrupted(() => abort.abort());
    try {
      await follow(client, terminal, print, abort.signal);
    } finally {
      interruption[Symbol.dispose]();
    }
    return exitCode.done;
  });
}

/** Comes back after the host has ended the stream or was away, and misses nothing that it still knows. */
async function follow(
  client: AdminClient,
  { clock, stderr }: Terminal,
  print: (event: ScaleEvent) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let last = "0";
  let seen = false;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      for await (const { id, event } of client.follow(last, signal)) {
        last = id;
        attempt = 0;
        await print(event);
      }
      seen = true;
    } catch (error) {
      if (signal.aborted) return;
      if (!seen && last === "0" && error instanceof AdminFailure) throw error;
      if (attempt === 0) await write(stderr, "the host has gone; waiting for it to come back");
    }
    await clock.sleep(backoffMs(attempt, { firstMs: 500, longestMs: 10_000 }), signal).catch(() => {});
  }
}

function onSignal(interrupt: () => void): Disposable {
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  return { [Symbol.dispose]: () => void process.off("SIGINT", interrupt).off("SIGTERM", interrupt) };
}
