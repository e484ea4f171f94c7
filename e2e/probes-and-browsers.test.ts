import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, ask, type Question } from "./harness/ask.ts";
import { quickSleep, staysAwake } from "./harness/host-config.ts";
import { service, Stage } from "./harness/stage.ts";
import { until } from "./harness/until.ts";

const browser = {
  accept: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
  "sec-fetch-mode": "navigate",
  "user-agent": "Mozilla/5.0",
};

const neverWake = { paths: ["/health", "/probes/*"], userAgents: ["kube-probe"], status: 204 };

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open((gates) => ({
    resources: [
      service(gates, "probed", { policy: { ...quickSleep, idleAfter: "1s", neverWake } }),
      service(gates, "by-network", { policy: { ...quickSleep, neverWake: { networks: ["127.0.0.0/8"] } } }),
      service(gates, "site", { env: { START_GATE: "site" }, policy: staysAwake }),
      service(gates, "no-page", { env: { START_GATE: "no-page" }, policy: { ...staysAwake, waitingPage: "never" } }),
      service(gates, "broken-site", { program: "dies-on-start", policy: staysAwake }),
    ],
  }));
});

afterAll(async () => stage[Symbol.asyncDispose]());

describe("neverWake", () => {
  const probes: readonly Question[] = [
    { host: "probed.test", path: "/health" },
    { host: "probed.test", path: "/health?verbose=1" },
    { host: "probed.test", path: "/probes/live" },
    { host: "probed.test", headers: { "user-agent": "Kube-Probe/1.33" } },
  ];

  it("answers probes of a sleeping service itself, and wakes nothing", async () => {
    const { host } = stage;
    for (const probe of probes) expect(await ask(host.origin, probe)).toMatchObject({ status: 204, text: "" });
    expect(await ask(host.origin, { host: "by-network.test" })).toMatchObject({ status: 200, text: "" });
    for (const name of ["probed", "by-network"]) {
      expect(await host.resource(name)).toMatchObject({ state: "asleep", desired: 0, held: 0 });
      expect(host.events.of(name, "wake")).toEqual([]);
    }
  });

  it("lets an awake service answer its probes, and does not count them as use", async () => {
    const { host, client } = stage;
    expect(await client("probed").send()).toMatchObject({ outcome: "answered", cold: true });
    const [probe] = probes as [Question];
    expect(await ask(host.origin, probe)).toMatchObject({ status: 200, json: { name: "probed" } });
    let answered = 0;
    let last: Answer | undefined;
    await until(
      () => `the service slept under ${answered} probes, the last of which got ${last?.status}`,
      async () => {
        last = await ask(host.origin, probe);
        answered += 1;
        return last.status === 204;
      },
    );
    expect(answered).toBeGreaterThan(5);
    await until("the sleep was recorded", () => host.events.sleeps("probed").length > 0);
    expect(host.events.sleeps("probed")).toHaveLength(1);
  });
});

describe("the waiting page", () => {
  it("greets a browser at once, wakes the service, and gives way to it", async () => {
    const { host, gates } = stage;
    const page = await ask(host.origin, { host: "site.test", headers: browser });
    expect(page.status).toBe(503);
    expect(page.headers["content-type"]).toContain("text/html");
    expect(page.headers["cache-control"]).toBe("no-store");
    expect(Number(page.headers["retry-after"])).toBeGreaterThan(0);
    expect(page.text).toContain('http-equiv="refresh"');
    await host.untilState("site", "waking");
    expect(await host.resource("site")).toMatchObject({ held: 0 });

    gates.open("site");
    await until("the page gave way to the service", async () => {
      const answer = await ask(host.origin, { host: "site.test", headers: browser });
      return answer.status === 200 && answer.json["name"] === "site";
    });
    await until("the wake was recorded", () => host.events.wakes("site").length > 0);
    expect(host.events.wakes("site")).toHaveLength(1);
  });

  it("is for people only: everything else is held", async () => {
    const { host, gates, client } = stage;
    const crowd = client("no-page");
    const answers = [
      crowd.send({ headers: browser }),
      crowd.send({ headers: { accept: "text/html" } }),
      crowd.send({ headers: { ...browser, "sec-fetch-mode": "cors" } }),
      crowd.send({ method: "POST", headers: browser, body: "form" }),
    ];
    await host.untilResource("no-page", ({ held }) => held === answers.length);
    gates.open("no-page");
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ outcome: "answered" });
  });

  it("says so where the service cannot start, without the service's own text", async () => {
    const { host } = stage;
    const answer = await until("the page told of the failure", async () => {
      const page = await ask(host.origin, { host: "broken-site.test", headers: browser });
      return page.text.includes("SCALER_START_FAILED") && page;
    });
    expect(answer.status).toBe(503);
    expect(answer.headers["content-type"]).toContain("text/html");
    expect(answer.text).not.toContain("password");
  });
});
