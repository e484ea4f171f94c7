import { linuxProcessTable } from "./linux-process-table.ts";
import type { ProcessTable } from "./process-table.ts";
import { psProcessTable } from "./ps-process-table.ts";

/** The machine's own table of processes. */
export function openProcessTable(platform: NodeJS.Platform): ProcessTable {
  return platform === "linux" ? linuxProcessTable() : psProcessTable(platform);
}
