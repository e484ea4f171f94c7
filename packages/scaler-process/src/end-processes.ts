import type { Clock, Milliseconds } from "@dormouse/core";
import type { ProcessEntry } from "./process-table.ts";

/** How long a killed process may still be seen, for example in an uninterruptible wait for a disk. */
export const killWaitMs: Milliseconds = 5_000;

const firstWaitMs: Milliseconds = 5;
const longestWaitMs: Milliseconds = 500;

export interface EndOrder {
  /** Finds what is to end, anew each time: processes may have started others. */
  find(): Promise<readonly ProcessEntry[]>;
  /** How to ask this process to stop; undefined: it has been asked before. */
  signalFor(entry: ProcessEntry): NodeJS.Signals | undefined;
  /** How long they may take before they are killed. */
  readonly graceMs: Milliseconds;
  readonly clock: Clock;
}

/** Asks processes to stop, once each, kills them after the grace, and resolves with those that even then remain. */
export async function endProcesses(order: EndOrder): Promise<readonly ProcessEntry[]> {
  const killAt = order.clock.monotonic() + order.graceMs;
  const asked = new Set<string>();
  let waitMs = firstWaitMs;
  for (;;) {
    const found = await order.find();
    const leftMs = killAt - order.clock.monotonic();
    if (found.length === 0 || leftMs <= -killWaitMs) return found;
    for (const entry of found) {
      if (leftMs <= 0) sendSignal(entry.pid, "SIGKILL");
      else ask(entry, order, asked);
    }
    await order.clock.sleep(leftMs > 0 ? Math.min(waitMs, leftMs) : firstWaitMs);
    waitMs = Math.min(longestWaitMs, waitMs * 2);
  }
}

function ask(entry: ProcessEntry, order: EndOrder, asked: Set<string>): void {
  const key = `${entry.pid} ${entry.started}`;
  if (asked.has(key)) return;
  asked.add(key);
  const signal = order.signalFor(entry);
  if (signal !== undefined) sendSignal(entry.pid, signal);
}

/** Sends a signal to a process, or by a negative number to a group; one that is gone or not ours to signal stays as it is. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ESRCH: it has ended. EPERM: it changed its user; the caller sees that it remains.
  }
}
