import type { EventJournal, Logger, ScaleEvent } from "@dormouse/core";

/** Writes every event of a host to its log, in one line each. What went wrong in it is logged as a warning by whoever did it. */
export function logEvents(journal: EventJournal, logger: Logger): Disposable {
  return journal.subscribe((event) => {
    const { id: _, at: __, kind, outcome, ...fields } = event;
    logger.info(rounded(fields), `${kind} ${outcome}`);
  });
}

function rounded({ tookMs, phases, ...fields }: Omit<ScaleEvent, "id" | "at" | "kind" | "outcome">): object {
  const whole = Object.entries(phases ?? {}).map(([phase, ms]) => [phase, Math.round(ms)] as const);
  return {
    ...fields,
    ...(tookMs !== undefined && { tookMs: Math.round(tookMs) }),
    ...(phases !== undefined && { phases: Object.fromEntries(whole) }),
  };
}
