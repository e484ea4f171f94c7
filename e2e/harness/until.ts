import { setTimeout as sleep } from "node:timers/promises";

/** How long anything may take that a test waits for, where it says nothing else. */
export const patienceMs = 20_000;

/** What a probe answers while the thing has not happened yet. */
type NotYet = undefined | false | null;

/**
 * Asks again and again until the probe answers something, and gives that.
 *
 * @param what completes "… did not happen"; a function is asked at the end, so that it can say what was seen last
 */
export async function until<Found>(
  what: string | (() => string),
  probe: () => Found | NotYet | Promise<Found | NotYet>,
  withinMs = patienceMs,
): Promise<Found> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false && found !== null) return found;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${toText(what)}`);
    await sleep(10);
  }
}

/** The promise's value, if it comes in time. */
export async function within<Value>(
  what: string | (() => string),
  promise: Promise<Value>,
  limitMs = patienceMs,
): Promise<Value> {
  const given = new AbortController();
  const late = sleep(limitMs, undefined, { signal: given.signal }).then(() => {
    throw new Error(`not within ${limitMs} ms: ${toText(what)}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    given.abort();
    late.catch(() => {});
  }
}

function toText(what: string | (() => string)): string {
  return typeof what === "string" ? what : what();
}
