import { backoffMs, type Clock, type Logger, type Route, type RouteSource, toScalerError } from "@dormouse/core";

export interface FollowRoutesOptions {
  /** In order of precedence: of two identical routes the first source's stays. */
  readonly sources: readonly RouteSource[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called with the routes of all sources after each change. */
  readonly changed: (routes: readonly Route[]) => void;
}

/** Follows several route sources until disposed. One that fails keeps its last routes and is asked again with backoff. */
export function followRoutes(options: FollowRoutesOptions): AsyncDisposable {
  const abort = new AbortController();
  const latest = options.sources.map((): readonly Route[] => []);
  const ended = options.sources.map((source, index) =>
    followOne(source, options, abort.signal, (routes) => {
      latest[index] = routes;
      options.changed(latest.flat());
    }),
  );
  return {
    [Symbol.asyncDispose]: async () => {
      abort.abort();
      await Promise.all(ended);
    },
  };
}

async function followOne(
  source: RouteSource,
  { clock, logger }: FollowRoutesOptions,
  signal: AbortSignal,
  changed: (routes: readonly Route[]) => void,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      for await (const routes of source.watchRoutes({ signal })) {
        changed(routes);
        attempt = 0;
      }
    } catch (error) {
      const { code, message } = toScalerError(error, "SCALER_UNAVAILABLE");
      if (!signal.aborted) logger.warn({ code, error: message }, "a route source failed; its last routes stay");
    }
    await clock.sleep(backoffMs(attempt, { firstMs: 100, longestMs: 30_000 }), signal).catch(() => {});
  }
}
