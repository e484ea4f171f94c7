import { backoffMs, type CatalogEntry, type Clock, type Milliseconds } from "@dormouse/core";

/** Wait after an attempt that came to nothing: one more claim by each DLX is what each attempt costs. */
const retryBackoff = { firstMs: 1_000, longestMs: 60_000 };

/** Where this process has sent a resource's own traffic, and with which version. */
export interface KnownRoute {
  readonly to: "dlx" | "resource";
  readonly version: string;
  /** Monotonic ms at which it was sent there first. */
  readonly since: Milliseconds;
}

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
  #route: KnownRoute | undefined;
  #ownVersion: string | undefined;
  #retry: { readonly attempts: number; readonly at: Milliseconds } | undefined;
  #mend: { readonly attempts: number; readonly at: Milliseconds } | undefined;

  constructor({ resource }: Pick<CatalogEntry, "resource">, now: Milliseconds) {
    this.firstSeenAt = now;
    this.#version = { text: resource.version, since: now };
    this.#updatedAt = resource.updatedAt;
    this.#changed = { version: resource.version, at: now, before: now };
    this.see({ resource }, now);
  }

  /** Takes in what the catalogue says at a tick, or what a step has just read. */
  see({ resource }: Pick<CatalogEntry, "resource">, now: Milliseconds): void {
    this.seeVersion(resource.version, now);
    this.#seeUpdate(resource, now);
    const isWanted = resource.desired > 0;
    this.#awakeSince = isWanted && resource.ready > 0 ? (this.#awakeSince ?? now) : undefined;
    this.#unreadySince = isWanted && resource.ready === 0 ? (this.#unreadySince ?? now) : undefined;
  }

  /** An update by anybody else; this process's own marks are none, whatever the platform's clock says of them. */
  #seeUpdate({ version, updatedAt }: CatalogEntry["resource"], now: Milliseconds): void {
    if (updatedAt === this.#updatedAt) return;
    this.#updatedAt = updatedAt;
    if (version !== this.#ownVersion) this.#changed = { version, at: now, before: this.#changed.at };
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

  get route(): KnownRoute | undefined {
    return this.#route;
  }

  /**
   * Changes the route. While the call runs, and for ever if it fails, nothing is known of the route: it may land late.
   * `since` stays where the way has been the same without a gap.
   */
  async changeRoute(to: KnownRoute["to"], version: string, clock: Clock, call: () => Promise<void>): Promise<void> {
    const before = this.#route;
    this.#route = undefined;
    await call();
    const stays = before?.to === to && before.version === version;
    this.#route = { to, version, since: stays ? before.since : clock.monotonic() };
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
    if (this.#route?.version === from) this.#route = { ...this.#route, version };
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
    return this.#mend === undefined || this.#mend.at <= now;
  }

  /** A route was mended or could not be. */
  mended(isDone: boolean, now: Milliseconds): void {
    this.#mend = isDone ? undefined : nextTry(this.#mend, now);
  }
}

/** A failure long after the one before it is a first one. */
function nextTry(last: { readonly attempts: number; readonly at: Milliseconds } | undefined, now: Milliseconds) {
  const attempts = last === undefined || now - last.at > 2 * retryBackoff.longestMs ? 1 : last.attempts + 1;
  return { attempts, at: now + backoffMs(attempts - 1, retryBackoff) };
}
