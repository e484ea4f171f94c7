import { createLogUpdate } from "log-update";
import type { Reporter } from "./reporter.ts";

/** A table that stays in place, with the last thing that happened below it, for terminals. */
export function liveReporter(stream: NodeJS.WriteStream, table: () => string): Reporter {
  const update = createLogUpdate(stream);
  let last = "";
  const show = (): void => update(`${table()}\n${last}`);
  return {
    tell(text) {
      last = text;
      show();
    },
    refresh: show,
    end() {
      update.clear();
      update.done();
    },
  };
}
