import { systemClock } from "@dormouse/core";

/** Resolves once the condition holds, looking every `everyMs`; rejects with what was waited for after `patienceMs`. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  everyMs = 5,
  patienceMs = 20_000,
): Promise<void> {
  const deadline = systemClock.monotonic() + patienceMs;
  while (!(await condition())) {
    if (systemClock.monotonic() > deadline) throw new Error(`waited in vain: ${what}`);
    await systemClock.sleep(everyMs);
  }
}
