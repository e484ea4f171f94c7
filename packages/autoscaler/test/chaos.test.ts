import type { IdleRule, PartialPolicy } from "@dormouse/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { act, Chaos } from "./chaos.ts";
import { scalesOf } from "./target-world.ts";
import { clean, World, type WorldOptions } from "./world.ts";

/*
 * Any order of requests, pauses of leaders without a lease between them, crashes, people who scale, lost answers and
 * DLXs that come and go: no request is cut or sent where nothing serves, and once the faults stop, all are answered and
 * the resource sleeps.
 */

const idleRules: IdleRule[] = [{ metric: "open", window: 5_000, threshold: 0 }];

const worlds = [
  ["through DLXs alone", { dlxs: 2 }],
  [
    "with traffic of its own",
    { dlxs: 2, restores: true, capabilities: { routing: true, settleWithinMs: 500 }, idleRules },
  ],
  ["with instances that end slowly", { dlxs: 2, startMs: 700, stopMs: 3_000 }],
] as const;

describe.each(worlds)("two leaders at once, any order of events, %s", (_, { ...options }) => {
  it("lose no request, and the resource sleeps in the end", { timeout: 60_000 }, async () => {
    const policy = {
      idleAfter: 5_000,
      minAwake: 1_000,
      ...("idleRules" in options && { idleRules: options.idleRules }),
    };
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), async (acts) => {
        const world = await World.open({ ...options, resources: [{ name: "web", desired: 1, policy }] });
        const chaos = new Chaos(world);
        await chaos.start();
        await chaos.start();
        for (const each of acts) await chaos.run(each);
        chaos.calm();
        await world.until(() => chaos.requests.every((request) => request.state === "answered"), 60_000);
        await world.until(() => world.isAsleep(), 600_000);
        expect(await world.close()).toEqual(clean);
      }),
      { numRuns: 60 },
    );
  });
});

/** Changes the count at nearly every tick, one up or one down. */
const restless: PartialPolicy = {
  idleAfter: 5_000,
  minAwake: 1_000,
  target: {
    metric: "cpu",
    value: 1,
    valueKind: "average",
    tolerance: 0,
    toleranceKind: "relative",
    window: 10_000,
  },
  maxReplicas: 9,
  scaleDown: {
    stabilizationWindow: 0,
    selectPolicy: "max",
    policies: [{ type: "percent", value: 100, period: 1_000 }],
  },
  cooldown: 0,
};

const restlessWorlds: readonly (readonly [string, WorldOptions])[] = [
  ["through DLXs alone", { dlxs: 2, startMs: 700, stopMs: 3_000 }],
  ["with traffic of its own", { dlxs: 2, restores: true, capabilities: { routing: true, settleWithinMs: 500 } }],
];

describe.each(restlessWorlds)(
  "two leaders that scale to a target and put to sleep, any order of events, %s",
  (_, options) => {
    const idleRules: IdleRule[] = "capabilities" in options ? [{ metric: "open", window: 5_000, threshold: 0 }] : [];

    it(
      "lose no request, wake nothing by a ratio, and the resource sleeps in the end",
      { timeout: 60_000 },
      async () => {
        let scales = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), async (acts) => {
            const policy = { ...restless, idleRules };
            const world = await World.open({ ...options, resources: [{ name: "web", desired: 1, policy }] });
            const chaos = new Chaos(world, true);
            await chaos.start();
            await chaos.start();
            for (const each of acts) await chaos.run(each);
            chaos.calm();
            await world.until(() => chaos.requests.every((request) => request.state === "answered"), 60_000);
            await world.until(() => world.isAsleep(), 600_000);
            const { length } = scalesOf(world);
            await world.advance(60_000);
            expect(world.isAsleep()).toBe(true);
            expect(scalesOf(world)).toHaveLength(length);
            scales += length;
            await chaos.end();
            expect(await world.close()).toEqual(clean);
          }),
          { numRuns: 40 },
        );
        expect(scales).toBeGreaterThan(0);
      },
    );
  },
);
