import type { Clock, Milliseconds } from "@dormouse/core";
import type { ActivityReading } from "./read-activity.ts";

/**
 * Since when this process has watched without a gap. It begins with its lead, and anew when a DLX process goes: what
 * that one saw last is lost, so what the others say of idleness proves nothing about the time before.
 */
export class ObservationWindow {
  readonly #clock: Clock;
  #since: Milliseconds | undefined;
  #processes = new Map<string, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Monotonic ms of its begin; undefined while this process does not lead. */
  get since(): Milliseconds | undefined {
    return this.#since;
  }

  /** This process does not lead. */
  close(): void {
    this.#since = undefined;
    this.#processes.clear();
  }

  /** Takes in what the DLXs answered at one moment. */
  see(reading: ActivityReading): void {
    this.#since ??= this.#clock.monotonic();
    if (reading.peers === undefined) return;
    const processes = new Map(
      reading.peers.map((peer) => [peer.id, peer.known ? peer.report.process : (this.#processes.get(peer.id) ?? "")]),
    );
    const isGone = ([id, process]: [string, string]): boolean => process !== "" && processes.get(id) !== process;
    if ([...this.#processes].some(isGone)) this.#since = this.#clock.monotonic();
    this.#processes = processes;
  }
}
