import { formatDuration, type Milliseconds, type ScaleEvent } from "@dormouse/core";
import { AdminFailure } from "../client/admin-failure.ts";
import { NotProven, type Stage } from "./stage.ts";
import { withDeadline } from "./with-deadline.ts";

/** Share of the rate at which requests go on while a sleep is asked for. */
const slowShare = 0.25;

/** So many times a sleep is asked for while requests go on; after that they pause, so that it comes at all. */
const raced = 3;

/** Requests aimed at a sleep go out within this time around it, in ms. */
const aimedWithinMs = 30;

/**
 * Asks the host to put the resource to sleep until it does, at first while requests go on. Resolves with how often it refused.
 * @throws NotProven where it refuses for too long, AdminFailure where the host is gone
 */
export async function forceSleep(stage: Stage, reason: string): Promise<number> {
  const { traffic, clock, ratePerSecond, patienceMs, tell } = stage;
  const deadline = clock.monotonic() + patienceMs;
  const pause = new AbortController();
  const slowly = traffic.stream(Math.max(1, ratePerSecond * slowShare), pause.signal);
  tell("asks for a sleep while requests go on");
  try {
    for (let refusals = 0; ; refusals += 1) {
      if (refusals === raced) {
        tell("it is still in use; asks again without requests");
        pause.abort();
        await traffic.ended();
      }
      await stage.watch.pause(200 + Math.random() * 300);
      const leftMs = deadline - clock.monotonic();
      const refusal = await ask(stage, { reason, isRaced: refusals < raced, leftMs });
      if (refusal === undefined) return refusals;
      if (clock.monotonic() >= deadline) {
        throw new NotProven(`it could not be put to sleep within --patience ${formatDuration(patienceMs)}: ${refusal}`);
      }
    }
  } finally {
    pause.abort();
    await slowly;
  }
}

interface Asking {
  readonly reason: string;
  readonly isRaced: boolean;
  readonly leftMs: Milliseconds;
}

/** Undefined where it sleeps now; else why it does not. */
async function ask(stage: Stage, { reason, isRaced, leftMs }: Asking): Promise<string | undefined> {
  const { admin, ref, traffic, clock, signal } = stage;
  const deadline = { clock, limitMs: Math.max(1, leftMs), signal, late: "the sleep does not end" };
  const asked = withDeadline(deadline, (signal) => admin.scale(ref, "sleep", { reason, signal }));
  if (isRaced) void traffic.send(Math.random() * aimedWithinMs);
  try {
    return describeRefusal(await asked);
  } catch (error) {
    signal.throwIfAborted();
    // What the platform could not do may work the next time; a host that is away is another matter.
    if (error instanceof AdminFailure && error.code !== undefined) return error.message;
    throw error;
  }
}

function describeRefusal({ outcome, reason, code }: ScaleEvent): string | undefined {
  if (outcome === "done") return undefined;
  return code === undefined ? reason : `${code}: ${reason}`;
}
