import type {
  AutoscalerConfig,
  CatalogEntry,
  Clock,
  EventJournal,
  LeaderElector,
  Logger,
  PeerDiscovery,
  ResourceCatalog,
  ResourceRef,
  SeesDirect,
  SleepGate,
} from "@dormouse/core";
import { AutoscalerTelemetry } from "./autoscaler-telemetry.ts";
import { ObservationWindow } from "./observation-window.ts";
import type { MetricsSources } from "./read-rules.ts";
import { ResourceTracker } from "./resource-tracker.ts";
import type { RouteTelling } from "./route-tracker.ts";
import type { SleepStep } from "./sleep-step.ts";

/** What an autoscaler is composed of. */
export interface AutoscalerOptions {
  readonly catalog: ResourceCatalog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly journal: EventJournal;
  readonly config: AutoscalerConfig;
  readonly peers: PeerDiscovery;
  readonly elector: LeaderElector;
  /** By id, in configured order; the first is the default of idle rules and targets. */
  readonly sources: MetricsSources;
  /** As the DLXs are told it; left out: what the sources say of themselves. */
  readonly seesDirect?: SeesDirect;
  /** Shared with the DLX of the same process. */
  readonly sleepGate: SleepGate;
  /** This autoscaler and all DLXs are one process. */
  readonly singleHost: boolean;
  /** Called just before each step of a sleep acts and waited for. For tests, which pause or end there. */
  readonly at?: (step: SleepStep, ref: ResourceRef) => Promise<void>;
}

/** What the parts of one autoscaler share, and what it remembers of each resource. */
export class AutoscalerContext implements Disposable {
  readonly options: AutoscalerOptions;
  readonly telemetry = new AutoscalerTelemetry();
  readonly window: ObservationWindow;
  readonly seesDirect: SeesDirect;
  config: AutoscalerConfig;
  sources: MetricsSources;
  readonly #trackers = new Map<string, ResourceTracker>();
  readonly #tellings = new Map<string, RouteTelling>();
  readonly #subscription: Disposable;

  constructor(options: AutoscalerOptions) {
    this.options = options;
    this.config = options.config;
    this.sources = options.sources;
    this.seesDirect = options.seesDirect ?? ((source) => this.#isDirectSource(source));
    this.window = new ObservationWindow(options.clock);
    this.#subscription = options.catalog.subscribe((change) => {
      if (change.kind !== "set") return;
      this.#trackers.get(change.entry.key)?.seeRoute(change.entry.resource, options.clock.monotonic());
    });
  }

  /** Whether this process leads now; an elector that throws does not. */
  get leads(): boolean {
    try {
      return this.options.elector.isLeader();
    } catch (error) {
      this.options.logger.error({ error }, "the leader elector failed");
      return false;
    }
  }

  #tellingOf({ key }: Pick<CatalogEntry, "key">): RouteTelling {
    const scaler = key.slice(0, key.indexOf("/"));
    const telling = this.#tellings.get(scaler) ?? { isTold: false };
    this.#tellings.set(scaler, telling);
    return telling;
  }

  #isDirectSource(source: string | undefined): boolean {
    const found = source === undefined ? [...this.sources.values()][0] : this.sources.get(source);
    return found !== undefined && found.dlxOnly !== true;
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  /** What is remembered of a resource, from now on if nothing is yet. */
  tracker(entry: Pick<CatalogEntry, "key" | "resource">): ResourceTracker {
    const known = this.#trackers.get(entry.key);
    if (known !== undefined) return known;
    const tracker = new ResourceTracker(entry, this.options.clock.monotonic(), this.#tellingOf(entry));
    this.#trackers.set(entry.key, tracker);
    return tracker;
  }

  /** Forgets what targets wanted and did: this process does not lead. */
  forgetTargets(): void {
    for (const tracker of this.#trackers.values()) tracker.forgetTarget();
  }

  /** Forgets every resource that the catalogue does not have any more. */
  forgetGone(): void {
    for (const key of this.#trackers.keys()) {
      if (this.options.catalog.get(key) === undefined) this.#trackers.delete(key);
    }
  }
}
