import type { CatalogEntry, Clock, Milliseconds, RouteDirection } from "@dormouse/core";
import { MendBackoff, type NextTry, nextTry } from "./mend-backoff.ts";
import { TargetMemory } from "./target-memory.ts";
import { type RouteTelling, RouteTracker } from "./route-tracker.ts";

/**
 * What one process remembers of one resource: moments at which something changed, by its own monotonic clock. Nothing
 * here is needed for safety; a process that starts anew waits until it has seen enough again.
 */
export class ResourceTracker {
  readonly firstSeenAt: Milliseconds;
  #version: { readonly text: string; readonly since: Milliseconds };
  #updatedAt: number;
  #changed: { readonly version: string; readonly at: Milliseconds; readonly before: Milliseconds };
  #awakeSince: Milliseconds | undefined;
  #unreadySince: Milliseconds | undefined;
  #ownVersion: string | undefined;
  #retry: NextTry | undefined;
  #isWanted: boolean | undefined;
  readonly #route: RouteTracker;
  readonly #mends = new MendBackoff();
  #target: TargetMemory | undefined;

  /** @param telling shared by all resources of one scaler */
  constructor({ resource }: Pick<CatalogEntry, "resource">, now: Milliseconds, telling?: RouteTelling) {
    this.firstSeenAt = now;
    this.#route = new RouteTracker(telling);
    this.#version = { text: resource.version, since: now };
    this.#updatedAt = resource.updatedAt;
    this.#changed = { version: resource.version, at: now, before: now };
    this.see({ resource }, now);
  }

  /** What its target wanted and did. */
  get target(): TargetMemory {
    this.#target ??= new TargetMemory();
    return this.#target;
  }

  /** It has no target, or this process does not lead. */
  forgetTarget(): void {
    this.#target = undefined;
  }

  /** Takes in what the catalogue says at a tick, or what a step has just read. */
  see({ resource }: Pick<CatalogEntry, "resource">, now: Milliseconds): void {
    this.seeVersion(resource.version, now);
    this.#seeUpdate(resource, now);
    this.seeRoute(resource, now);
    const isWanted = resource.desired > 0;
    if (isWanted !== this.#isWanted) this.#mends.forget();
    this.#isWanted = isWanted;
    this.#awakeSince = isWanted && resource.ready > 0 ? (this.#awakeSince ?? now) : undefined;
    this.#unreadySince = isWanted && resource.ready === 0 ? (this.#unreadySince ?? now) : undefined;
  }

  /** An update by anybody else; this process's own marks are none, whatever the platform's clock says of them. */
  #seeUpdate({ version, updatedAt }: CatalogEntry["resource"], now: Milliseconds): void {
    if (updatedAt === this.#updatedAt) return;
    this.#updatedAt = updatedAt;
    if (version !== this.#ownVersion) this.#changed = { version, at: now, before: this.#changed.at };
  }

  /** Takes in where the platform shows the traffic to go: at each change of that, for a moment elsewhere counts too. */
  seeRoute({ routedTo }: Pick<CatalogEntry["resource"], "routedTo">, now: Milliseconds): void {
    this.#route.see(routedTo, now);
  }

  /** Remembers since when the version is this one. */
  seeVersion(version: string, now: Milliseconds): void {
    if (version !== this.#version.text) this.#version = { text: version, since: now };
  }

  /** How long the version has been this one; 0 for one that was not seen before. */
  unchangedForMs(version: string, now: Milliseconds): Milliseconds {
    return version === this.#version.text ? now - this.#version.since : 0;
  }

  /** How long it has been awake without a wake or an update. */
  awakeForMs(now: Milliseconds): Milliseconds {
    return this.#awakeSince === undefined ? 0 : now - Math.max(this.#awakeSince, this.#changed.at);
  }

  /** How long it has wanted replicas and had none ready, without an update. */
  unreadyForMs(now: Milliseconds): Milliseconds {
    return this.#unreadySince === undefined ? 0 : now - Math.max(this.#unreadySince, this.#changed.at);
  }

  /** Where its own traffic goes, as far as is known at this version. */
  routeAt(version: string, now: Milliseconds): RouteDirection | undefined {
    return this.#route.at(version, now);
  }

  /** How long its traffic has been known to go to the DLX; undefined: it is not known to. */
  divertedForMs(version: string, now: Milliseconds): Milliseconds | undefined {
    const since = this.#route.divertedSince(version, now);
    return since === undefined ? undefined : now - since;
  }

  /** Begins to send the traffic elsewhere by a sleep; see `RouteTracker.change`. */
  async divert(version: string, clock: Clock, call: () => Promise<void>): Promise<void> {
    this.#mends.forget();
    await this.#route.change("dlx", version, clock, call);
  }

  /** Sends the traffic where it belongs; see `RouteTracker.change`. True: somebody else undoes that again and again. */
  async mend(to: RouteDirection, version: string, clock: Clock, call: () => Promise<void>): Promise<boolean> {
    await this.#route.change(to, version, clock, call);
    return this.#mends.mended(to, clock.monotonic());
  }

  /** The version that this process's last accepted write produced. */
  get ownVersion(): string | undefined {
    return this.#ownVersion;
  }

  /** An own write moved the version; a route that was known at the one before is known at this one too. */
  wrote(from: string, version: string): void {
    this.#ownVersion = version;
    // The catalogue may have heard of the write before its answer came.
    if (this.#changed.version === version) this.#changed = { ...this.#changed, at: this.#changed.before };
    this.#route.wrote(from, version);
  }

  /** Time until the next attempt to sleep; undefined: none is waited for. */
  retryInMs(now: Milliseconds): Milliseconds | undefined {
    return this.#retry === undefined || this.#retry.at <= now ? undefined : this.#retry.at - now;
  }

  /** An attempt to sleep ended; one that came to nothing makes the next one wait, longer each time. */
  attempted(isDone: boolean, now: Milliseconds): void {
    this.#retry = isDone ? undefined : nextTry(this.#retry, now);
  }

  /** Whether a route may be mended now, or the last try was a moment ago. */
  mayMend(now: Milliseconds): boolean {
    return this.#mends.mayMend(now);
  }

  /** A look at the route found it right, or it could not be mended. */
  looked(found: "right" | "failed", now: Milliseconds): void {
    if (found === "right") this.#mends.wasRight();
    else this.#mends.failed(now);
  }
}
