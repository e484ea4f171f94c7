import {
  type CallOptions,
  type Clock,
  definePort,
  type Logger,
  type Milliseconds,
  type PortPlugin,
  type Route,
  type RouteSource,
} from "@dormouse/core";
import { openCluster } from "../cluster/open-cluster.ts";
import { FollowedRoutes } from "./followed-routes.ts";
import { type RouteSourceOptions, routeSourceOptionsSchema } from "./route-source-options.ts";

/** Changes come in swarms: a rollout touches many objects at once. */
const settleMs: Milliseconds = 100;

/** The route source `kubernetes`: Ingress and HTTPRoute objects whose backends are enabled workloads' Services. */
export const routeSource: PortPlugin<"routeSource", RouteSourceOptions> = definePort("routeSource", {
  name: "kubernetes",
  options: routeSourceOptionsSchema,
  create: async (options, { clock, logger }) => {
    const { kubeconfig, context } = options;
    const cluster = await openCluster({ kubeconfig, context, clock, logger });
    const followed = new FollowedRoutes({ cluster, options, clock, logger });
    return new KubernetesRoutes(followed, clock, logger, async () => {
      await followed[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    });
  },
});

class KubernetesRoutes implements RouteSource {
  readonly #followed: FollowedRoutes;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #close: () => Promise<void>;
  readonly #life = new AbortController();
  #skipped = "";

  constructor(followed: FollowedRoutes, clock: Clock, logger: Logger, close: () => Promise<void>) {
    this.#followed = followed;
    this.#clock = clock;
    this.#logger = logger;
    this.#close = close;
  }

  async *watchRoutes({ signal }: CallOptions = {}): AsyncGenerator<readonly Route[], void> {
    const either = signal === undefined ? this.#life.signal : AbortSignal.any([signal, this.#life.signal]);
    const changes = new ChangeFlag();
    const subscription = this.#followed.onChange(() => changes.raise());
    let last: string | undefined;
    try {
      await this.#followed.whenSynced(either);
      while (!either.aborted) {
        changes.lower();
        const routes = this.#read();
        const text = JSON.stringify(routes);
        if (text !== last) yield routes;
        last = text;
        await changes.wait(either);
        await this.#clock.sleep(settleMs, either);
      }
    } catch (error) {
      if (!either.aborted) throw error;
    } finally {
      subscription[Symbol.dispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    await this.#close();
  }

  #read(): readonly Route[] {
    const { routes, skipped } = this.#followed.read();
    const text = skipped.join("\n");
    if (text !== this.#skipped && text !== "")
      this.#logger.warn(
        { rules: skipped.slice(0, 20), count: skipped.length },
        "rules of Kubernetes that no route can say are left out",
      );
    this.#skipped = text;
    return routes;
  }
}

/** Raised from outside, waited for within. */
class ChangeFlag {
  #isRaised = false;
  #wakeUp: () => void = () => {};

  raise(): void {
    this.#isRaised = true;
    this.#wakeUp();
  }

  lower(): void {
    this.#isRaised = false;
  }

  /** Resolves once it is raised, or the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#isRaised || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wakeUp = () => {
        signal.removeEventListener("abort", this.#wakeUp);
        resolve();
      };
      signal.addEventListener("abort", this.#wakeUp, { once: true });
    });
  }
}
