import { isatty } from "node:tty";
import type { Clock } from "@dormouse/core";
import type { Log } from "../log/open-log.ts";
import type { Host } from "./host.ts";

/** What a host listens to while it runs. */
export interface SignalWatch extends Disposable {
  /** Resolves with the signal that asks the host to stop. */
  readonly stopped: Promise<NodeJS.Signals>;
  /** From here on SIGHUP reloads, and what no handler caught ends the host's children before the process. */
  attach(host: Pick<Host, "endScalers">, reload: () => void): void;
}

/** How long the children may take to stop after a fault that no handler caught, in ms. */
const faultLimitMs = 5_000;

/** Begins to listen: SIGTERM and SIGINT stop in order, a second one at once; so does the end of the terminal. */
export function watchSignals(log: Log, clock: Clock): SignalWatch {
  const { promise: stopped, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let asked = false;
  let host: Pick<Host, "endScalers"> | undefined;
  let reload: (() => void) | undefined;
  const onStop = (signal: NodeJS.Signals): void => {
    if (asked) exitNow(log, signal);
    asked = true;
    log.logger.info({ signal }, "stopping; once more stops at once");
    resolve(signal);
  };
  const hadTerminal = isatty(1);
  // The same signal says that the terminal has gone, and then nobody waits for a reload.
  const onHangup = (signal: NodeJS.Signals): void => (hadTerminal && !isatty(1) ? onStop(signal) : reload?.());
  const onFault = (error: unknown): void => void endAfterFault({ log, clock, host }, error);
  process.on("SIGTERM", onStop).on("SIGINT", onStop).on("SIGHUP", onHangup);
  process.on("uncaughtException", onFault).on("unhandledRejection", onFault);
  return {
    stopped,
    attach: (attached, onReload) => {
      host = attached;
      reload = onReload;
    },
    [Symbol.dispose]: () => {
      process.off("SIGTERM", onStop).off("SIGINT", onStop).off("SIGHUP", onHangup);
      process.off("uncaughtException", onFault).off("unhandledRejection", onFault);
    },
  };
}

/** Plugins that run children end them in their own `exit` handlers. */
function exitNow(log: Log, signal: NodeJS.Signals): never {
  log.logger.warn({ signal }, "stopped at once");
  log.flush();
  process.exit(1);
}

interface Faulty {
  readonly log: Log;
  readonly clock: Clock;
  readonly host: Pick<Host, "endScalers"> | undefined;
}

/** Nothing can be relied on any more, but children should not outlive the host. */
async function endAfterFault({ log, clock, host }: Faulty, error: unknown): Promise<void> {
  log.fatal({ error }, "a fault that nothing caught; stopping");
  log.flush();
  await Promise.race([host?.endScalers(), clock.sleep(faultLimitMs)]);
  process.exit(1);
}
