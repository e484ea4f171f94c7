import { type Clock, isScalerError, type Milliseconds, type RouteDirection } from "@dormouse/core";

/**
 * How long what the platform shows may lag behind a change of our own: until then, or until it shows that change, it
 * proves nothing. Watches lag by milliseconds; this is for one that has to begin anew.
 */
const showsWithinMs: Milliseconds = 30_000;

/** Where a resource's own traffic goes. */
interface KnownRoute {
  readonly to: RouteDirection;
  /** Monotonic ms since when this process has known it to go there, without a gap. */
  readonly since: Milliseconds;
}

/** Whether a scaler shows routes at all, as far as one process has seen. One for all its resources: for one that does, nothing shown means something between. */
export interface RouteTelling {
  isTold: boolean;
}

/**
 * What one process knows of one route: what the platform shows (`Resource.routedTo`), and the changes that this process
 * made. What is shown counts, whoever made it and at whatever version, but for the time after an own change in which it
 * may be of before. Where the scaler shows no routes, only an own change is known, and only at the version at which it was
 * made: whoever moves the version may have changed the route too. Safety does not rest on any of this: each change of a
 * route carries a version, and the platform refuses older ones.
 */
export class RouteTracker {
  readonly #telling: RouteTelling;
  #shown: KnownRoute | undefined;
  #own: (KnownRoute & { readonly version: string }) | undefined;
  /** An own change that the platform may not show yet; monotonic ms after which what it shows counts anyhow. */
  #unsettled: { readonly to: RouteDirection; readonly until: Milliseconds } | undefined;

  constructor(telling: RouteTelling = { isTold: false }) {
    this.#telling = telling;
  }

  /** Takes in what the platform shows; undefined: nothing, or something between. */
  see(shown: RouteDirection | undefined, now: Milliseconds): void {
    if (shown !== undefined) this.#telling.isTold = true;
    if (shown === undefined) this.#shown = undefined;
    else if (this.#shown?.to !== shown) this.#shown = { to: shown, since: now };
    if (shown !== undefined && this.#unsettled?.to === shown) this.#unsettled = undefined;
  }

  /** Where the traffic goes, at a moment at which the resource has this version. */
  at(version: string, now: Milliseconds): RouteDirection | undefined {
    if (this.#telling.isTold && !this.#isUnsettled(now)) return this.#shown?.to;
    return this.#own?.version === version ? this.#own.to : undefined;
  }

  /** Monotonic ms since when it is known to go to the DLX, without a gap; undefined: it is not. Where routes are shown, it counts from when it was. */
  divertedSince(version: string, now: Milliseconds): Milliseconds | undefined {
    if (this.at(version, now) !== "dlx") return undefined;
    const known = this.#telling.isTold ? this.#shown : this.#own;
    return known?.to === "dlx" ? known.since : undefined;
  }

  /**
   * Changes the route. While the call runs, and after it if it fails, nothing is known until the platform shows it: it
   * may land late. `since` stays where the way has been the same without a gap. Rejects with what the call rejects with.
   */
  async change(to: RouteDirection, version: string, clock: Clock, call: () => Promise<void>): Promise<void> {
    const before = this.#own?.version === version ? this.#own : undefined;
    this.#own = undefined;
    this.#unsettled = { to, until: Number.POSITIVE_INFINITY };
    try {
      await call();
      this.#own = { to, version, since: before?.to === to ? before.since : clock.monotonic() };
      this.#settle(to, clock.monotonic());
    } catch (error) {
      // Refused for a newer one: nothing of this will ever land.
      if (isScalerError(error) && error.code === "SCALER_CONFLICT") this.#unsettled = undefined;
      else this.#settle(to, clock.monotonic());
      throw error;
    }
  }

  /** An own write moved the version; a route that was known at the one before is known at this one too. */
  wrote(from: string, version: string): void {
    if (this.#own?.version === from) this.#own = { ...this.#own, version };
  }

  #settle(to: RouteDirection, now: Milliseconds): void {
    this.#unsettled = this.#shown?.to === to ? undefined : { to, until: now + showsWithinMs };
  }

  #isUnsettled(now: Milliseconds): boolean {
    return this.#unsettled !== undefined && now < this.#unsettled.until;
  }
}
