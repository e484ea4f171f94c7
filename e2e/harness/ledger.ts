import { readFileSync } from "node:fs";

/** The lines that a fixture service has written down: the ids of the requests it executed, in order. */
export function readLedger(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return []; // nothing was executed yet
  }
}
