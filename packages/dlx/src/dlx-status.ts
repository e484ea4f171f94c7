import type { Milliseconds, ScaleEvent } from "@dormouse/core";
import type { ReachedTarget } from "./gate/passage.ts";
import type { ResourceGate } from "./gate/resource-gate.ts";

/** What one DLX knows of one resource, for display. */
export interface DlxResourceStatus {
  /** Whether requests pass without being held. */
  readonly licensed: boolean;
  readonly held: number;
  readonly inFlight: number;
  /** Requests since the process started. */
  readonly requests: number;
  readonly idleForMs: Milliseconds;
  /** Epoch ms; left out where nothing ever came. */
  readonly lastActivityAt?: number;
  /** The last wake that started something or failed. */
  readonly lastWake?: ScaleEvent;
  /** 95th percentile of the last wakes. */
  readonly wakeP95Ms?: Milliseconds;
  /** After a failed wake: time until a request may start the next one; 0: now. */
  readonly backoffLeftMs: Milliseconds;
  readonly targets: readonly ReachedTarget[];
}

/** The status of a resource nobody has asked for yet. */
const untouched: DlxResourceStatus = {
  licensed: false,
  held: 0,
  inFlight: 0,
  requests: 0,
  idleForMs: 0,
  backoffLeftMs: 0,
  targets: [],
};

/** @param gate undefined where nobody has asked for the resource yet */
export function toStatus(gate: ResourceGate | undefined): DlxResourceStatus {
  if (gate === undefined) return untouched;
  const { book, policy, lastWake, wakeP95Ms, backoffLeftMs, targets } = gate;
  const silentMs = policy.streamIdleAfter;
  const lastActivityAt = book.lastActivityAt(silentMs);
  return {
    licensed: book.licensed,
    held: book.held,
    inFlight: book.inFlight,
    requests: book.requests,
    idleForMs: book.idleForMs(silentMs),
    backoffLeftMs,
    targets,
    ...(lastActivityAt === undefined ? {} : { lastActivityAt }),
    ...(lastWake === undefined ? {} : { lastWake }),
    ...(wakeP95Ms === undefined ? {} : { wakeP95Ms }),
  };
}
