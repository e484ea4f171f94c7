// What every fixture service shares: the gates it waits at and the ledger it writes, both in the folder GATES.
import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const folder = process.env["GATES"];
const name = process.env["NAME"] ?? "service";

/** Resolves once the test has opened the gate; at once where there is none. */
export async function gate(gateName: string | undefined): Promise<void> {
  while (!isOpen(gateName)) await sleep(10);
}

/** Whether the gate is open now. */
export function isOpen(gateName: string | undefined): boolean {
  return gateName === undefined || folder === undefined || existsSync(join(folder, gateName));
}

/** Writes a line down for good, in one write, before anything else happens. */
export function writeDown(line: string): void {
  if (folder !== undefined) appendFileSync(join(folder, `${name}.ledger`), `${line}\n`);
}
