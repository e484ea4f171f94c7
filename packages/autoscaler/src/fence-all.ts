import {
  callWithDeadline,
  type Clock,
  type DlxPeer,
  type FenceAnswer,
  type ResourceRef,
  toScalerError,
} from "@dormouse/core";
import { peerDeadlineMs } from "./read-activity.ts";
import { SleepEnd } from "./sleep-end.ts";

export interface FenceOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Takes the licence for a resource from every DLX. Waits for all of them, so that nothing is left running.
 *
 * @param attempt names this fence; an answer to another proves nothing
 * @throws SleepEnd unless every DLX answers this attempt with nothing in flight and nothing held
 */
export async function fenceAll(
  ref: ResourceRef,
  attempt: string,
  peers: readonly DlxPeer[],
  options: FenceOptions,
): Promise<void> {
  if (peers.length === 0) throw new SleepEnd("no-dlx");
  const ends = await Promise.all(peers.map((peer) => fence(ref, attempt, peer, options)));
  const found = ends.filter((end) => end !== undefined);
  const end = found.find(({ reason }) => reason !== "fence-unknown") ?? found[0];
  if (end !== undefined) throw end;
}

async function fence(
  ref: ResourceRef,
  attempt: string,
  peer: DlxPeer,
  { clock, signal }: FenceOptions,
): Promise<SleepEnd | undefined> {
  const options = { clock, signal, afterMs: peerDeadlineMs, what: `the fence at DLX ${peer.id}` };
  try {
    return judge(peer, attempt, await callWithDeadline(options, (signal) => peer.fence(ref, attempt, { signal })));
  } catch (error) {
    const { code } = toScalerError(error);
    return new SleepEnd(code === "SCALER_ABORTED" ? "aborted" : "fence-unknown", {
      about: `${peer.id}: ${code}`,
      cause: error,
    });
  }
}

function judge({ id: about }: DlxPeer, attempt: string, answer: FenceAnswer): SleepEnd | undefined {
  if (answer.attempt !== attempt) return new SleepEnd("fence-unknown", { about: `${about} answered another attempt` });
  if (answer.inFlight !== 0) return new SleepEnd("in-flight", { about });
  return answer.held === 0 ? undefined : new SleepEnd("held", { about });
}
