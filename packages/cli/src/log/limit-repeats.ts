import type { Clock, Logger, Milliseconds } from "@dormouse/core";

/** A warning that comes more often than this in one window is counted instead of written. */
const mostInWindow = 5;
const windowMs: Milliseconds = 60_000;
/** Kinds of warnings that are told apart; the one that was new the longest ago is forgotten first. */
const mostKinds = 1_000;

interface Seen {
  readonly since: Milliseconds;
  written: number;
  suppressed: number;
}

/**
 * Bounds what one warning or error that repeats can write: five a minute for each message, code, scaler and resource. The
 * first one after that minute says how many were left out, as `suppressed`. Other levels pass.
 */
export function limitRepeats(logger: Logger, clock: Clock): Logger {
  return wrap(logger, { clock, seen: new Map() }, {});
}

interface Shared {
  readonly clock: Clock;
  readonly seen: Map<string, Seen>;
}

function wrap(logger: Logger, shared: Shared, bound: object): Logger {
  const limited =
    (level: "warn" | "error") =>
    (fields: object, message: string): void => {
      const suppressed = admit(shared, kindOf(level, message, { ...bound, ...fields }));
      if (suppressed !== undefined) logger[level](suppressed === 0 ? fields : { ...fields, suppressed }, message);
    };
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: limited("warn"),
    error: limited("error"),
    child: (fields) => wrap(logger.child(fields), shared, { ...bound, ...fields }),
  };
}

function kindOf(level: string, message: string, fields: object): string {
  return JSON.stringify([
    level,
    message,
    ...["code", "scaler", "resource", "source"].map((key) => String(Reflect.get(fields, key))),
  ]);
}

/** How many were left out since the last one that was written; undefined: leave this one out too. */
function admit({ clock, seen }: Shared, kind: string): number | undefined {
  const now = clock.monotonic();
  const known = seen.get(kind);
  if (known !== undefined && now - known.since < windowMs) {
    if (known.written < mostInWindow) {
      known.written += 1;
      return 0;
    }
    known.suppressed += 1;
    return undefined;
  }
  seen.delete(kind);
  if (seen.size >= mostKinds) seen.delete(seen.keys().next().value ?? "");
  seen.set(kind, { since: now, written: 1, suppressed: 0 });
  return known?.suppressed ?? 0;
}
