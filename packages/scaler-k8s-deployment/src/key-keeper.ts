import type { Clock, Milliseconds } from "@dormouse/core";
import { readyDlxs } from "./dlx-endpoints.ts";
import type { Fights } from "./fights.ts";
import { divertedKey } from "./names.ts";
import type { ServiceObject } from "./objects.ts";
import { isLiving } from "./pod.ts";
import type { RouteApi } from "./route-api.ts";
import { formatRoute, readRoute, type RouteRecord } from "./route-record.ts";
import { type AddressType, addressTypesOf } from "./slice-api.ts";
import type { WatchedCluster } from "./watched-cluster.ts";
import type { WorkloadFacts } from "./workload-facts.ts";

/** How long the DLXs may all be away before the pods take a diverted Service's traffic themselves. */
const withoutDlxMs: Milliseconds = 3_000;

/** From one look to the next while pods serve in the DLXs' place. */
const lookForDlxMs: Milliseconds = 1_000;

/** Whoever diverts writes the slices first and then the Service, with the key: after so long it has ended in between. */
const divertWithinMs: Milliseconds = 2_000;

/** Services that are remembered for a while. */
const mostRemembered = 10_000;

/** What the key's keeper works with. */
export interface KeyKeeperParts {
  readonly watched: Pick<WatchedCluster, "dlxSlices" | "podsOf">;
  readonly routes: Pick<RouteApi, "setKey">;
  readonly clock: Clock;
  readonly fights: Fights;
}

/** Puts the extra key into the selectors of diverted Services and takes it out, where its place can be told from what is recorded. */
export class KeyKeeper {
  readonly #parts: KeyKeeperParts;
  /** Since when there has been no ready DLX of a family. */
  readonly #absentSince = new Map<AddressType, Milliseconds>();
  /** Services, by uid, whose key was taken out here for want of DLXs: putting it back is no fight with anybody. */
  readonly #takenOut = new Set<string>();
  /** Services, by uid, whose own record is behind that of their slices: which one, and since when. */
  readonly #behind = new Map<string, { readonly record: string; readonly since: Milliseconds }>();

  constructor(parts: KeyKeeperParts) {
    this.#parts = parts;
  }

  /** Time until pods take over from DLXs that are all away: 0 or less: now; Infinity while one is ready. */
  untilPodsServe(service: ServiceObject): Milliseconds {
    const { watched, clock } = this.#parts;
    const left = addressTypesOf(service).map((addressType) => {
      if (readyDlxs(watched.dlxSlices(), addressType).length > 0) {
        this.#absentSince.delete(addressType);
        return Infinity;
      }
      const since = this.#absentSince.get(addressType) ?? clock.monotonic();
      this.#absentSince.set(addressType, since);
      return since + withoutDlxMs - clock.monotonic();
    });
    return Math.min(...left);
  }

  /** Whether the key was taken out here and is to come back, which needs a DLX that surely listens. */
  isTakenOut({ metadata: { uid } }: ServiceObject): boolean {
    return this.#takenOut.has(uid);
  }

  /**
   * @param isServed whether a ready DLX is listed in every slice
   * @returns after how long it has to be looked at again without a change; undefined: not before one
   */
  async keep(
    facts: WorkloadFacts,
    service: ServiceObject,
    isServed: boolean,
    signal: AbortSignal,
  ): Promise<Milliseconds | undefined> {
    const { workload, plan, route } = facts;
    const { routes, watched } = this.#parts;
    const hasKey = service.spec.selector?.[divertedKey] !== undefined;
    if (route?.to === "resource" || !plan.drains) {
      if (hasKey) await routes.setKey(service, false, signal);
      this.#takenOut.delete(service.metadata.uid);
      return undefined;
    }
    if (route === undefined) return undefined;
    const hasPods = watched.podsOf(workload).some(isLiving);
    const leftMs = this.untilPodsServe(service);
    if (leftMs <= 0) {
      if (hasKey && hasPods) await this.#takeOut(service, signal);
      return lookForDlxMs;
    }
    const again = Number.isFinite(leftMs) ? leftMs : undefined;
    if (plan.policy.routing === "direct") {
      if (hasKey && !hasPods && (workload.spec.replicas ?? 1) === 0) await routes.setKey(service, false, signal);
      return again;
    }
    if (hasKey) this.#behind.delete(service.metadata.uid);
    if (hasKey || !isServed) return again;
    const diverting = this.#divertingForMs(service, route);
    return diverting > 0 ? diverting : this.#putBack(service, signal);
  }

  /** Time that a host still has to put the key in itself: a write of ours would be in its way, and no repair. */
  #divertingForMs({ metadata }: ServiceObject, route: RouteRecord): Milliseconds {
    const own = readRoute(metadata);
    const record = formatRoute(route);
    if (own !== undefined && formatRoute(own) === record) {
      this.#behind.delete(metadata.uid);
      return 0;
    }
    const now = this.#parts.clock.monotonic();
    const seen = this.#behind.get(metadata.uid);
    const since = seen?.record === record ? seen.since : now;
    if (this.#behind.size >= mostRemembered) this.#behind.clear();
    this.#behind.set(metadata.uid, { record, since });
    return since + divertWithinMs - now;
  }

  async #takeOut(service: ServiceObject, signal: AbortSignal): Promise<void> {
    await this.#parts.routes.setKey(service, false, signal);
    if (this.#takenOut.size >= mostRemembered) this.#takenOut.clear();
    this.#takenOut.add(service.metadata.uid);
  }

  /** Where somebody else took it out it comes back, later each time. */
  async #putBack(service: ServiceObject, signal: AbortSignal): Promise<Milliseconds | undefined> {
    const { routes, fights } = this.#parts;
    const { uid } = service.metadata;
    if (this.#takenOut.has(uid)) {
      await routes.setKey(service, true, signal);
      this.#takenOut.delete(uid);
      return undefined;
    }
    const thing = `key ${uid}`;
    const dueInMs = fights.dueInMs(thing);
    if (dueInMs > 0) return dueInMs;
    await routes.setKey(service, true, signal);
    fights.repaired(thing);
    return undefined;
  }
}
