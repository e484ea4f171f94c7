import { afterAll, beforeAll, expect, it } from "vitest";
import { quickSleep } from "./harness/host-config.ts";
import { service, Stage } from "./harness/stage.ts";
import { until } from "./harness/until.ts";

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open((gates) => ({
    resources: [
      service(gates, "database", { env: { START_GATE: "database" }, policy: quickSleep }),
      service(gates, "shop", { policy: { ...quickSleep, dependsOn: ["database"] } }),
      service(gates, "office", { policy: { ...quickSleep, dependsOn: ["local/default/database"] } }),
      service(gates, "broken-database", { program: "dies-on-start", policy: quickSleep }),
      service(gates, "stranded", { policy: { ...quickSleep, dependsOn: ["broken-database"] } }),
    ],
  }));
});

afterAll(async () => stage[Symbol.asyncDispose]());

it("wakes what a service depends on first, and releases nothing to it before that is ready", async () => {
  const { host, gates, client } = stage;
  const answer = client("shop").send();
  await host.untilState("database", "waking");
  await until("the database runs", () => host.children.length > 0);
  expect(await host.resource("shop")).toMatchObject({ held: 1, desired: 0 });
  gates.open("database");
  expect(await answer).toMatchObject({ outcome: "answered", cold: true });
  const [shop] = await until("the wake was recorded", () => {
    const wakes = host.events.wakes("shop");
    return wakes.length > 0 && wakes;
  });
  const [database] = host.events.wakes("database");
  expect(database).toMatchObject({ by: "dependency" });
  expect(database?.id).toBeLessThan(shop?.id ?? 0);
});

it("keeps a shared dependency awake until its last user sleeps, though nobody asks it anything", async () => {
  const { host, gates, client } = stage;
  const working = client("office").send({ path: "/?gate=hold" });
  await host.untilResource("office", ({ inFlight }) => inFlight === 1);
  // Of the events that came before these, none is missing.
  await until("the office's wake was recorded", () => host.events.wakes("office").length > 0);
  await until("the shop slept", () => host.events.sleeps("shop").length > 0);
  const sleeps = host.events.sleeps("database").length;
  const shopSleeps = host.events.sleeps("shop").length;
  for (let round = 1; round <= 2; round += 1) {
    await client("shop").send();
    await until("the shop slept again", () => host.events.sleeps("shop").length >= shopSleeps + round);
  }
  expect(host.events.sleeps("database")).toHaveLength(sleeps);
  expect(JSON.stringify(await host.why("database"))).toContain("local/default/office");

  gates.open("hold");
  expect(await working).toMatchObject({ outcome: "answered" });
  await host.untilState("office", "asleep");
  await host.untilState("database", "asleep");
  const lastSleepOf = (name: string): number => host.events.sleeps(name).at(-1)?.id ?? 0;
  await until("all sleeps were recorded", () => lastSleepOf("database") > lastSleepOf("office"));
});

it("answers 503 for a service whose dependency cannot start, and does not start it", async () => {
  const { host, client } = stage;
  expect(await client("stranded").send()).toMatchObject({ status: 503, code: "SCALER_START_FAILED" });
  expect(await host.resource("stranded")).toMatchObject({ desired: 0, held: 0 });
});
