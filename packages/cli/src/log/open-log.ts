import type { DormouseConfig, Logger } from "@dormouse/core";
import { pino } from "pino";

type LogConfig = DormouseConfig["log"];

/** Bytes of log lines that may wait for a slow reader of the output; further lines are dropped and counted. */
const mostBufferedBytes = 4 * 1_048_576;

/** Shorter texts are no secrets, and would be found everywhere. */
const shortestSecret = 4;

/** Earlier values stay hidden after a change of the configuration, up to so many. */
const mostSecrets = 1_000;

const censor = "********";
const hiddenKeys = ["token", "password", "secret", "apiKey", "bearerToken", "authorization", "cookie"];
const redactedPaths = hiddenKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

/** Where log lines go besides the process's own output: above a live view, or into a test. */
export interface LineSink {
  write(line: string): void;
}

export interface LogOptions {
  readonly config: LogConfig;
  /** Whether the output is a terminal: `format: auto` is pretty there, JSON elsewhere. */
  readonly terminal: boolean;
  readonly color: boolean;
  /** Left out: the process's own standard output. */
  readonly sink?: LineSink;
}

/** The host's log. Writing never waits for whoever reads it. */
export interface Log {
  readonly logger: Logger;
  /** For what no handler caught: above every level but `silent`. */
  fatal(fields: object, message: string): void;
  reconfigure(config: LogConfig): Promise<void>;
  /** Texts that never appear in a line, whatever field or message they stand in. */
  hide(secrets: ReadonlySet<string>): void;
  /** Writes what waits, at once. For the very end. */
  flush(): void;
}

/** Opens the log. pino-pretty is loaded only where it is used. */
export async function openLog({ config, terminal, color, sink }: LogOptions): Promise<Log> {
  const standard = sink === undefined ? openOutput() : undefined;
  const output = sink ?? standard;
  let format = await formatFor(config, terminal, color);
  let secrets: readonly string[] = [];
  const target: LineSink = { write: (line) => output?.write(hideIn(format(line), secrets)) };
  const logger = pino(pinoOptions(config), target);
  return {
    logger,
    fatal: (fields, message) => logger.fatal(fields, message),
    reconfigure: async (next) => {
      format = await formatFor(next, terminal, color);
      logger.level = next.level;
    },
    hide: (values) => {
      const forms = [...values].filter((value) => value.length >= shortestSecret).flatMap(formsOf);
      secrets = [...new Set([...forms, ...secrets])].slice(0, mostSecrets);
    },
    flush: () => standard?.flush(),
  };
}

function pinoOptions({ level }: LogConfig): pino.LoggerOptions {
  return {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: redactedPaths, censor },
    serializers: { err: pino.stdSerializers.err, error: describeError },
  };
}

/** An Error as an object, a text as it is: our packages log the message under `error`. */
function describeError(error: unknown): unknown {
  return error instanceof Error ? pino.stdSerializers.err(error) : error;
}

type Format = (line: string) => string;

async function formatFor({ format }: LogConfig, terminal: boolean, color: boolean): Promise<Format> {
  if (format === "json" || (format === "auto" && !terminal)) return (line) => line;
  const { prettyFactory } = await import("pino-pretty");
  return prettyFactory({
    colorize: color,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "pid,hostname",
    singleLine: true,
  }) as Format;
}

/** A file's disk or quota is full: what fails now may work later. */
const passing: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT"]);

/**
 * Standard output without waiting. Whoever reads and goes away ends the lines, not the host; a full disk costs those lines
 * that find no room in memory until there is some again.
 */
function openOutput(): LineSink & { flush(): void } {
  const output = pino.destination({ fd: 1, sync: false, maxLength: mostBufferedBytes });
  let isBroken = false;
  output.on("error", (error: unknown) => (isBroken ||= !passing.has(Reflect.get(Object(error), "code"))));
  return {
    write: (line) => void (isBroken || output.write(line)),
    flush: () => {
      if (isBroken) return;
      try {
        output.flushSync();
      } catch {
        // The reader has gone, or the output was never opened: nobody is left to tell.
      }
    },
  };
}

/** A secret as it is, and as JSON writes it. */
function formsOf(secret: string): string[] {
  const written = JSON.stringify(secret).slice(1, -1);
  return written === secret ? [secret] : [secret, written];
}

function hideIn(line: string, secrets: readonly string[]): string {
  return secrets.reduce((text, secret) => (text.includes(secret) ? text.replaceAll(secret, censor) : text), line);
}
