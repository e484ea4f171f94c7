import { backoffMs, type ScaleEvent } from "@dormouse/core";
import type { AdminClient } from "../client/admin-client.ts";
import { AdminFailure } from "../client/admin-failure.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { type Terminal, write } from "../terminal.ts";
import { describeEvent } from "../view/describe-event.ts";
import type { GlobalOptions } from "./global-options.ts";
import { onInterrupt, type UntilInterrupted } from "./on-interrupt.ts";
import { runWithAdmin } from "./run-with-admin.ts";

export interface EventsOptions extends GlobalOptions {
  /** Goes on until Ctrl-C. */
  readonly follow?: boolean;
}

/** `dormouse events`: what the host did lately, and with `--follow` what it does. */
export function events(
  options: EventsOptions,
  terminal: Terminal,
  untilInterrupted: UntilInterrupted = onInterrupt,
): Promise<ExitCode> {
  const print = (event: ScaleEvent): Promise<void> =>
    write(terminal.stdout, options.output === "json" ? JSON.stringify(event) : describeEvent(event));
  return runWithAdmin(options, terminal, async (client) => {
    if (options.follow !== true) {
      for (const event of await client.events()) await print(event);
      return exitCode.done;
    }
    const abort = new AbortController();
    const interrupt = (): void => abort.abort();
    const interruption = untilInterrupted(interrupt);
    terminal.stdout.once("error", interrupt);
    try {
      await follow(client, terminal, print, abort.signal);
    } finally {
      interruption[Symbol.dispose]();
      terminal.stdout.off("error", interrupt);
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
  let wasThere = false;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const failure = await followOnce(client.follow(last, signal), async ({ id, event }) => {
      last = id;
      await print(event);
    });
    if (signal.aborted) return;
    if (failure !== undefined && !wasThere) throw failure;
    if (failure === undefined) {
      wasThere = true;
      attempt = 0;
      await write(stderr, "the stream of events has ended; waiting for the host to come back");
    }
    await clock.sleep(backoffMs(attempt, { firstMs: 500, longestMs: 10_000 }), signal).catch(() => {});
  }
}

/** Undefined where the host was there until the stream ended or broke; the failure where it was not. */
async function followOnce<Told>(
  stream: AsyncIterable<Told>,
  print: (told: Told) => Promise<void>,
): Promise<AdminFailure | undefined> {
  try {
    for await (const told of stream) await print(told);
    return undefined;
  } catch (error) {
    return error instanceof AdminFailure ? error : undefined;
  }
}
