import type { Milliseconds } from "@dormouse/core";
import type { Context } from "@opentelemetry/api";

/** A target that has answered a dial, by the address that answered. */
export interface ReachedTarget {
  /** The instance's id, as the scaler gave it. */
  readonly id: string;
  /** The address that answered: an IP address, also where the scaler gave a name. Of a further port with a host of its own: what the scaler gave. */
  readonly address: string;
  readonly port: number;
}

/** What a held request waited for. */
export interface ColdStart {
  /** From its arrival to its release, in ms. */
  readonly heldMs: Milliseconds;
  /** Whether the resource had to start; false where it only had to be claimed, or had no room. */
  readonly woken: boolean;
  /** The phases of the wake it waited for, in ms and in order, for `Server-Timing`. */
  readonly phases: Readonly<Record<string, Milliseconds>>;
}

/** A request's right to a target: it counts as in flight from its release until `end`. */
export interface Passage {
  readonly target: ReachedTarget;
  /** Undefined for a request that was not held. */
  readonly cold: ColdStart | undefined;
  /** The response has begun: the request no longer counts against the pace of a release. */
  responded(): void;
  /** The exchange is an open stream (an upgrade, server-sent events, gRPC): `streamIdleAfter` applies to it. */
  stream(): void;
  /** A byte moved on a stream. */
  moved(): void;
  /** The target cannot be reached: forget it, and go to another within the same count. Undefined where none is left: `end` and hold again. */
  retarget(): ReachedTarget | undefined;
  /** The exchange is over, in whatever way. Calling it again does nothing. */
  end(): void;
}

export interface EnterOptions {
  /** False: this request is no activity (`neverWake`). */
  readonly activity?: boolean;
}

export interface HoldOptions extends EnterOptions {
  /** Monotonic ms of the request's arrival: its deadline counts from there, also when it is held again. */
  readonly arrivedAt: Milliseconds;
  /** The resource's port by name; left out: its main one, which is the policy's, else its first. */
  readonly port?: string | undefined;
  /** The client's own patience in ms from its arrival (a gRPC deadline), where shorter than `holdTimeout`. */
  readonly patienceMs?: Milliseconds;
  /** Aborts once the client went away: the slot is free at once, and `hold` rejects with `DLX_CLIENT_GONE`. */
  readonly signal: AbortSignal;
  /** The request's trace: a wake that it starts belongs to it. */
  readonly trace?: Context;
}

/** One resource's gate as the HTTP side sees it. */
export interface Gate {
  /** Printed ref. */
  readonly key: string;
  /**
   * Released at once, in one synchronous step with no plugin call and no timer; undefined: `hold`.
   *
   * @param port the resource's port by name; left out: its main one
   */
  tryEnter(options?: EnterOptions, port?: string): Passage | undefined;
  /**
   * Waits in the resource's waiting room until released. Rejects with a ScalerError (`retryAfterMs` filled in where one
   * is due): `DLX_HOLD_FULL`, `DLX_OVERLOADED`, `DLX_WAKE_TIMEOUT`, `DLX_CLIENT_GONE`, `DLX_STOPPING`, `DLX_TARGET_UNREACHABLE`
   * where no instance answers on that port, or the wake's own failure.
   */
  hold(options: HoldOptions): Promise<Passage>;
  /** Makes sure that a wake runs if there is no licence, without holding anything (the waiting page). */
  poke(): void;
  /** Whether requests pass without being held, as far as is known now. */
  readonly awake: boolean;
  /** 95th percentile of this resource's wakes in ms; undefined before the first. */
  readonly wakeP95Ms: Milliseconds | undefined;
}

/** Connections to targets, as the gate needs them to end. */
export interface Upstreams {
  /** Takes no more requests on the target's present connections, closes idle ones now and busy ones as their exchanges end. */
  retire(target: ReachedTarget): void;
}
