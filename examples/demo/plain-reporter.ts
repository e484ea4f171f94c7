import { systemClock } from "@dormouse/core";
import type { Reporter } from "./reporter.ts";

/** One line for each thing that happens, for logs and pipes. */
export function plainReporter(write: (line: string) => void): Reporter {
  const start = systemClock.monotonic();
  return {
    tell(text) {
      const seconds = ((systemClock.monotonic() - start) / 1_000).toFixed(1).padStart(5);
      write(`${seconds} s  ${text}`);
    },
    refresh() {},
    end() {},
  };
}
