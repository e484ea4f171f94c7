import { diag, DiagLogLevel } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { Clock, Logger, Milliseconds, TelemetryConfig } from "@dormouse/core";
import { type Metrics, openMetrics } from "./open-metrics.ts";

/** How long the last spans may take on a stop. */
const flushLimitMs: Milliseconds = 3_000;

export interface TelemetryOptions {
  readonly config: TelemetryConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  /** Tells one process from the next; random. */
  readonly instance: string;
}

/** Opens metrics, and traces where the configuration names a collector. Must come before anything that is measured. */
export async function openTelemetry({ config, clock, logger, version, instance }: TelemetryOptions): Promise<Metrics> {
  setDiagnostics(logger);
  const resource = resourceFromAttributes({
    "service.name": "dormouse",
    "service.version": version,
    "service.instance.id": instance,
  });
  const metrics = openMetrics(resource, config.maxSeries);
  const tracing =
    config.otlp === undefined
      ? undefined
      : (await import("./open-tracing.ts")).openTracing(resource, {
          otlp: config.otlp,
          sampleRatio: config.sampleRatio,
        });
  return {
    meter: metrics.meter,
    read: () => metrics.read(),
    [Symbol.asyncDispose]: async () => {
      await withinLimit(clock, tracing, logger);
      await metrics[Symbol.asyncDispose]();
      diag.disable();
    },
  };
}

/** A collector that does not answer holds up no stop. */
async function withinLimit(clock: Clock, tracing: AsyncDisposable | undefined, logger: Logger): Promise<void> {
  const abort = new AbortController();
  const limit = clock.sleep(flushLimitMs, abort.signal).catch(() => {});
  await Promise.race([flush(tracing, logger), limit]);
  abort.abort();
}

async function flush(tracing: AsyncDisposable | undefined, logger: Logger): Promise<void> {
  try {
    await tracing?.[Symbol.asyncDispose]();
  } catch (error) {
    logger.warn({ error }, "the last spans were not sent");
  }
}

function setDiagnostics(logger: Logger): void {
  const say =
    (level: "warn" | "error") =>
    (message: string, ...rest: unknown[]): void => {
      logger[level]({ detail: [message, ...rest].map(String).join(" ").slice(0, 500) }, "telemetry");
    };
  const quiet = (): void => {};
  diag.setLogger(
    { error: say("error"), warn: say("warn"), info: quiet, debug: quiet, verbose: quiet },
    DiagLogLevel.WARN,
  );
}
