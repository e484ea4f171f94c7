import {
  callWithDeadline,
  type ActivityReport,
  type Clock,
  type DlxPeer,
  type Milliseconds,
  type PeerDiscovery,
  type ResourceActivity,
  toScalerError,
} from "@dormouse/core";
import type { DlxObservation } from "./observation.ts";

/** How long one DLX, or the list of them, may take to answer. */
export const peerDeadlineMs: Milliseconds = 2_000;

/** What one listed DLX answered, or why it did not. */
type PeerActivity =
  | {
      readonly known: true;
      readonly id: string;
      readonly report: Omit<ActivityReport, "resources">;
      readonly resources: ReadonlyMap<string, ResourceActivity>;
    }
  | { readonly known: false; readonly id: string; readonly problem: string };

/** What all DLXs answered at one moment; left out: they could not be listed. */
export interface ActivityReading {
  readonly peers?: readonly PeerActivity[];
  readonly problem?: string;
}

export interface ActivityReadingOptions {
  readonly peers: PeerDiscovery;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Asks every DLX that is listed now. Never rejects: what could not be had is unknown. */
export async function readActivity(options: ActivityReadingOptions): Promise<ActivityReading> {
  try {
    const peers = await listPeers(options);
    return { peers: await Promise.all(peers.map((peer) => readPeer(peer, options))) };
  } catch (error) {
    return { problem: toScalerError(error).code };
  }
}

/** The list as it is now, within the deadline. */
export function listPeers({ peers, clock, signal }: ActivityReadingOptions): Promise<readonly DlxPeer[]> {
  const options = { clock, signal, afterMs: peerDeadlineMs, what: "the list of DLXs" };
  return callWithDeadline(options, (signal) => peers.listPeers({ signal }));
}

async function readPeer(peer: DlxPeer, { clock, signal }: ActivityReadingOptions): Promise<PeerActivity> {
  const options = { clock, signal, afterMs: peerDeadlineMs, what: `DLX ${peer.id}` };
  try {
    const { resources, ...report } = await callWithDeadline(options, (signal) => peer.readActivity({ signal }));
    return { known: true, id: peer.id, report, resources: byRef(resources) };
  } catch (error) {
    return { known: false, id: peer.id, problem: toScalerError(error).code };
  }
}

/** A report's resources by their printed refs. */
export function byRef(resources: readonly ResourceActivity[]): ReadonlyMap<string, ResourceActivity> {
  const found = new Map<string, ResourceActivity>();
  for (const each of resources) found.set(each.ref, each);
  return found;
}

/** What each DLX says of one resource. A DLX that was never asked for it has been idle for as long as it runs. */
export function activityOf(reading: ActivityReading, key: string): readonly DlxObservation[] | undefined {
  return reading.peers?.map((peer) => {
    if (!peer.known) return peer;
    const { id, report, resources } = peer;
    const seen = resources.get(key);
    if (seen === undefined) return { known: true, id, inFlight: 0, held: 0, idleForMs: report.uptimeMs };
    return { known: true, id, inFlight: seen.inFlight, held: seen.held, idleForMs: seen.idleForMs };
  });
}
