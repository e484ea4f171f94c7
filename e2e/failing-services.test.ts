import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "./harness/ask.ts";
import { quickSleep, staysAwake } from "./harness/host-config.ts";
import { readLedger } from "./harness/ledger.ts";
import { isRunning } from "./harness/processes.ts";
import { service, Stage } from "./harness/stage.ts";
import { until } from "./harness/until.ts";

/** So that a service dies twice, and so long after one death that no request is still there from before it. */
const fewEnough = { every: 80, requests: 170, clients: 6 };

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open((gates) => {
    const dying = (name: string, when: string) =>
      service(gates, name, {
        program: "dies-under-load",
        env: { EVERY: String(fewEnough.every), WHEN: when },
        policy: staysAwake,
      });
    return {
      resources: [
        service(gates, "dies-on-start", { program: "dies-on-start", policy: staysAwake }),
        service(gates, "never-listens", { program: "never-listens", policy: { ...staysAwake, holdTimeout: "600ms" } }),
        service(gates, "listens-late", { env: { START_GATE: "late" }, policy: staysAwake }),
        service(gates, "never-answers", { policy: { ...staysAwake, responseTimeout: "2s" } }),
        service(gates, "garbage", { program: "garbage", policy: staysAwake }),
        service(gates, "deaf", { env: { DEAF: "yes" }, policy: quickSleep, stopGrace: "10s" }),
        dying("dies-before", "before"),
        dying("dies-after", "after"),
        dying("dies-with-posts", "after"),
      ],
    };
  });
});

afterAll(async () => stage[Symbol.asyncDispose]());

describe("a service that dies on start", () => {
  it("costs its callers a 503 with the cause's code and a time to come back, and none of its own text", async () => {
    const { host } = stage;
    for (const method of ["GET", "POST"]) {
      const answer = await ask(host.origin, { host: "dies-on-start.test", method });
      expect(answer).toMatchObject({ status: 503, json: { code: "SCALER_START_FAILED" } });
      expect(answer.headers["content-type"]).toBe("application/problem+json");
      expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
      const everything = JSON.stringify(answer);
      expect(everything).not.toContain("password");
      expect(everything).not.toContain("dies-on-start.ts");
    }
  });

  it("has its last words in `why`, for its operator", async () => {
    const { host } = stage;
    await ask(host.origin, { host: "dies-on-start.test" });
    const why = JSON.stringify(await host.why("dies-on-start"));
    expect(why).toContain("the secret database password is wrong");
    expect(why).toContain("SCALER_START_FAILED");
  });
});

it("answers 504 at holdTimeout for a service that never listens", async () => {
  const begin = performance.now();
  const answer = await ask(stage.host.origin, { host: "never-listens.test" });
  const tookMs = performance.now() - begin;
  expect(answer).toMatchObject({ status: 504, json: { code: "DLX_WAKE_TIMEOUT" } });
  expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
  expect(tookMs).toBeGreaterThan(590);
  expect(tookMs).toBeLessThan(5_000);
});

it("answers once a service listens that listens late", async () => {
  const { host, gates, client } = stage;
  const late = client("listens-late");
  const answers = late.burst(20, { method: "POST", body: "patience" });
  await host.untilResource("listens-late", ({ held }) => held === 20);
  gates.open("late");
  await answers;
  expect(late.count()).toEqual({ answered: 20, refused: 0, lost: 0 });
  expect(late.discrepancies([gates.ledger("listens-late")])).toEqual([]);
});

it("answers 504 at responseTimeout for a service that never answers, and sends it no request twice", async () => {
  const { gates, client } = stage;
  const waiting = client("never-answers");
  for (const method of ["GET", "POST"])
    expect(await waiting.send({ method, path: "/?gate=never" })).toMatchObject({
      status: 504,
      code: "DLX_TARGET_TIMEOUT",
    });
  const executed = (): number => readLedger(gates.ledger("never-answers")).length;
  await until("both were executed", () => executed() >= 2);
  expect(executed()).toBe(2);
  expect(await waiting.send()).toMatchObject({ outcome: "answered" });
  expect(executed()).toBe(3);
});

it("does not wait for the end of a service that does not stop: the next request has a new process, and the old one is killed", async () => {
  const { host, gates, client } = stage;
  const crowd = client("deaf");
  const first = await crowd.send();
  const deaf = Number(first.body["pid"]);
  await until("it was put to sleep", () => host.events.sleeps("deaf").length > 0);
  const second = await crowd.send({ method: "POST", body: "while the old one lives" });
  expect(second).toMatchObject({ outcome: "answered", cold: true });
  expect(second.body["pid"]).not.toBe(deaf);
  expect(isRunning(deaf)).toBe(true);
  await until("the deaf process was killed", () => !isRunning(deaf), 40_000);
  expect(crowd.discrepancies([gates.ledger("deaf")])).toEqual([]);
});

it("answers 502 for a service that answers what is no HTTP", async () => {
  for (const method of ["GET", "POST"]) {
    const answer = await ask(stage.host.origin, { host: "garbage.test", method });
    expect(answer).toMatchObject({ status: 502, json: { code: "DLX_TARGET_UNREACHABLE" } });
    expect(answer.text).not.toContain("!!!");
  }
});

describe("a service that dies under load", () => {
  it.each(["dies-before", "dies-after"])("costs no GET its answer (%s)", async (name) => {
    const traffic = await load(name, "GET");
    expect(traffic.of("refused")).toEqual([]);
    expect(traffic.of("lost")).toEqual([]);
    await until("both deaths were recorded", () => deathsOf(name) >= 2);
    expect(deathsOf(name)).toBe(2);
  });

  it("never executes a POST twice: it is answered, or 502 says that nobody knows", async () => {
    const traffic = await load("dies-with-posts", "POST");
    expect(traffic.of("lost")).toEqual([]);
    for (const refused of traffic.of("refused"))
      expect(refused).toMatchObject({ status: 502, code: "DLX_TARGET_UNREACHABLE" });
    await until("a death was recorded", () => deathsOf("dies-with-posts") >= 1);
    expect(traffic.of("refused").length).toBeGreaterThanOrEqual(deathsOf("dies-with-posts"));
    const executed = readLedger(stage.gates.ledger("dies-with-posts"));
    expect(new Set(executed).size).toBe(executed.length);
    for (const { id } of traffic.of("answered")) expect(executed).toContain(id);
  });
});

/** Sends all requests by so many clients at once. */
async function load(name: string, method: string) {
  const traffic = stage.client(name);
  let left = fewEnough.requests;
  const run = async (): Promise<void> => {
    while (left-- > 0) await traffic.send({ method });
  };
  await Promise.all(Array.from({ length: fewEnough.clients }, run));
  return traffic;
}

/** How often the host saw the service end. */
function deathsOf(name: string): number {
  return stage.host.events.wakes(name).length - 1;
}
