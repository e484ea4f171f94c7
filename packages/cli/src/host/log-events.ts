import type { EventJournal, Logger, ScaleEvent } from "@dormouse/core";

/** Writes every event of a host to its log, in one line each. */
export function logEvents(journal: EventJournal, logger: Logger): Disposable {
  return journal.subscribe((event) => {
    const { id: _, at: __, kind, outcome, ...fields } = event;
    logger[levelOf(event)](fields, `${kind} ${outcome}`);
  });
}

/** An operator has to look at what failed; a refusal is somebody's answer already, unless it is of the configuration. */
function levelOf({ kind, outcome }: ScaleEvent): "info" | "warn" | "error" {
  if (kind === "config" && outcome !== "done") return "error";
  return outcome === "failed" ? "warn" : "info";
}
