import type { Clock } from "@dormouse/core";
import type { ProveClient } from "./prove-client.ts";

/** How long a ledger may take to show what was executed, in ms. */
const settleMs = 5_000;

const againMs = 200;

/** Reads a ledger until it is as expected, for a few seconds: a service may write late. Resolves with the last text; rejects where it cannot be read. */
export async function readLedger(
  { client, place, clock }: { readonly client: ProveClient; readonly place: string; readonly clock: Clock },
  isComplete: (text: string) => boolean,
  signal: AbortSignal,
): Promise<string> {
  const deadline = clock.monotonic() + settleMs;
  for (;;) {
    const text = await client.read(place, signal);
    if (isComplete(text) || clock.monotonic() >= deadline) return text;
    await clock.sleep(againMs, signal);
  }
}
