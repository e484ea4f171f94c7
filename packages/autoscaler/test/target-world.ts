import {
  type MetricQuery,
  type MetricSample,
  type MetricsSource,
  parsePolicy,
  type PartialPolicy,
} from "@dormouse/core";
import { formatRef, type ScaleEvent } from "@dormouse/core";
import { defaultPolicy } from "@dormouse/core";
import { web, World, type WorldOptions } from "./world.ts";

/** Keeps `cpu` at 0.8 a replica, quickly, and sleeps only after an hour. */
export const targetPolicy: PartialPolicy = {
  ...parsePolicy(
    {
      enabled: true,
      idleAfter: "1h",
      target: { metric: "cpu", value: 0.8, window: "10s" },
      scaleDown: { stabilizationWindow: "10s", policies: [{ type: "percent", value: 100, period: "1s" }] },
      cooldown: "3s",
      maxReplicas: 50,
    },
    defaultPolicy,
    "",
  ),
};

/** A load that spreads over a resource's replicas: what its source gives is the average of one. */
export class SpreadLoad implements MetricsSource {
  load = 8;
  ageMs: number | undefined = 0;
  readonly queries: MetricQuery[] = [];
  /** What the next answers go through: throw or wait here. */
  onRead: () => Promise<void> | void = () => {};
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async read(query: MetricQuery): Promise<readonly MetricSample[]> {
    this.queries.push(query);
    await this.onRead();
    const { ageMs } = this;
    return query.resources.map((ref) => {
      const value = this.load / this.#world.desired(ref);
      return ageMs === undefined ? { ref, value } : { ref, value, ageMs };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A world whose resource `web` has ten replicas, a load of 8 and a target of 0.8. */
export async function openTargetWorld(
  policy: PartialPolicy = {},
  options: WorldOptions = {},
): Promise<{ readonly world: World; readonly source: SpreadLoad }> {
  const world = await World.open({
    resources: [{ name: "web", desired: 10, policy: { ...targetPolicy, ...policy } }],
    ...options,
  });
  return { world, source: new SpreadLoad(world) };
}

/** What a target did with a resource, oldest first. */
export function scalesOf(world: World, ref = web): readonly ScaleEvent[] {
  return world.journal.list().filter((event) => event.kind === "scale" && event.resource === formatRef(ref));
}
