import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Gates } from "./harness/gates.ts";
import type { HostConfig } from "./harness/host-config.ts";
import { service, type Stage, withStage } from "./harness/stage.ts";

const names = ["alone", "replicated", "database", "shop"] as const;

/** Until each service that may sleep has slept so often, and the configuration has changed so often. */
const goal = { sleeps: 8, reloads: 5 };
const limitMs = 90_000;

it("loses and doubles nothing while requests, an eager autoscaler, an operator and reloads pull at the same services", async () => {
  await withStage(
    (gates) => configuration(gates, 0),
    async (stage) => {
      const { host, gates, client } = stage;
      const clients = names.map((name) => ({ name, traffic: client(name) }));
      const deadline = performance.now() + limitMs;
      const isOver = (): boolean => performance.now() > deadline || hasHappened(stage);
      const requests = clients.flatMap(({ traffic }, index) =>
        [0, 1].map(async (which) => {
          for (const pauseMs of pauses(index * 2 + which, 300, isOver)) {
            await traffic.send(pauseMs > 150 ? {} : { method: "POST", body: "b".repeat(pauseMs > 75 ? 10 : 100_000) });
            await sleep(pauseMs);
          }
        }),
      );
      await Promise.all([...requests, orderAbout(stage, isOver), changeConfiguration(stage, isOver)]);

      expect(hasHappened(stage)).toBe(true);
      for (const { name, traffic } of clients) {
        expect(traffic.sent.filter(({ outcome }) => outcome !== "answered")).toEqual([]);
        expect(traffic.discrepancies([gates.ledger(name)])).toEqual([]);
      }
      for (const name of names) {
        await host.untilState(name, "asleep").catch(async (error: unknown) => {
          throw new Error(JSON.stringify(await host.why(name)), { cause: error });
        });
      }
      expect(host.children).toEqual([]);
    },
  );
});

function configuration(gates: Gates, version: number): HostConfig {
  const quick = { idleAfter: version % 2 === 0 ? "30ms" : "60ms", minAwake: 0 };
  const hosts = version % 3 === 0 ? ["alone.test"] : ["alone.test", "alias.test"];
  return {
    autoscaler: { every: "20ms" },
    resources: [
      service(gates, "alone", { policy: { ...quick, hosts } }),
      service(gates, "replicated", { replicas: 2, policy: { ...quick, maxConcurrency: 1 } }),
      service(gates, "database", { policy: quick }),
      service(gates, "shop", { policy: { ...quick, dependsOn: ["database"], releaseConcurrency: 1 } }),
    ],
  };
}

function hasHappened({ host: { events } }: Stage): boolean {
  const reloads = events.all.filter(({ kind, outcome }) => kind === "config" && outcome === "done").length;
  return reloads >= goal.reloads && ["alone", "replicated"].every((name) => events.sleeps(name).length >= goal.sleeps);
}

/** Asks for sleeps and wakes, whether they make sense or not. */
async function orderAbout({ host }: Stage, isOver: () => boolean): Promise<void> {
  let count = 0;
  for (const pauseMs of pauses(7, 100, isOver)) {
    count += 1;
    const { status } = await host.ask(names[count % names.length] ?? "alone", count % 3 === 0 ? "wake" : "sleep");
    expect(status).toBe(200);
    await sleep(pauseMs);
  }
}

async function changeConfiguration({ host, gates }: Stage, isOver: () => boolean): Promise<void> {
  let version = 0;
  for (const pauseMs of pauses(3, 1_500, isOver)) {
    await sleep(pauseMs);
    version += 1;
    host.configure(configuration(gates, version));
  }
}

/** Lengths spread evenly up to the longest, the same in each run, until it is over. */
function* pauses(seed: number, longestMs: number, isOver: () => boolean): Generator<number> {
  for (let count = 1; !isOver(); count += 1) yield ((count * 0.618_034 + seed * 0.137) % 1) * longestMs;
}
