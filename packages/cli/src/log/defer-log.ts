import type { Logger } from "@dormouse/core";

/** Lines that are kept; what comes after them is not worth waiting for. */
const mostLines = 100;

/** A logger whose lines wait until they are released, or are never written. */
export interface DeferredLog {
  readonly logger: Logger;
  /** Writes what waits; from here on lines pass at once. */
  release(): void;
}

/** For a start that may fail: where it does, its one message is enough. */
export function deferLog(target: Logger): DeferredLog {
  let waiting: (() => void)[] | undefined = [];
  const pass = (write: () => void): void => {
    if (waiting === undefined) write();
    else if (waiting.length < mostLines) waiting.push(write);
  };
  return {
    logger: wrap(target, pass),
    release: () => {
      const lines = waiting ?? [];
      waiting = undefined;
      for (const write of lines) write();
    },
  };
}

function wrap(logger: Logger, pass: (write: () => void) => void): Logger {
  return {
    debug: (fields, message) => pass(() => logger.debug(fields, message)),
    info: (fields, message) => pass(() => logger.info(fields, message)),
    warn: (fields, message) => pass(() => logger.warn(fields, message)),
    error: (fields, message) => pass(() => logger.error(fields, message)),
    child: (fields) => wrap(logger.child(fields), pass),
  };
}
