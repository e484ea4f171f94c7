import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "./harness/ask.ts";
import { freePort } from "./harness/free-port.ts";
import { staysAwake } from "./harness/host-config.ts";
import { readLedger } from "./harness/ledger.ts";
import { RawConnection } from "./harness/raw-connection.ts";
import { service, Stage } from "./harness/stage.ts";

let stage: Stage;
let dedicated: number;
let shared: number;

beforeAll(async () => {
  dedicated = await freePort();
  shared = await freePort();
  stage = await Stage.open((gates) => ({
    resources: [
      service(gates, "exact", { policy: { hosts: ["Shop.Example.test"], ...staysAwake } }),
      service(gates, "wild", { policy: { hosts: ["*.example.test"], ...staysAwake } }),
      service(gates, "path", { policy: { hosts: ["shop.example.test"], pathPrefix: "/api", ...staysAwake } }),
      service(gates, "deeper", { policy: { hosts: ["shop.example.test"], pathPrefix: "/api/v2", ...staysAwake } }),
      service(gates, "tenant", {
        policy: { hosts: ["shop.example.test"], pathPrefix: "/api", headers: { "X-Tenant": "blue" }, ...staysAwake },
      }),
      service(gates, "dedicated", { policy: { hosts: [], listen: [`127.0.0.1:${dedicated}`], ...staysAwake } }),
      service(gates, "loop", {
        program: "loops",
        env: { BACK_TO: `http://127.0.0.1:${shared}` },
        policy: { hosts: ["loop.test"], ...staysAwake },
      }),
    ],
    dlx: { listen: [`127.0.0.1:${shared}`, `[::1]:${shared}`] },
  }));
});

afterAll(async () => stage[Symbol.asyncDispose]());

describe("a request", () => {
  it.each([
    ["exact", "shop.example.test", "/"],
    ["exact", "SHOP.example.TEST", "/"],
    ["exact", "shop.example.test:8080", "/"],
    ["exact", "shop.example.test.", "/"],
    ["exact", "shop.example.test", "/apis"],
    ["wild", "other.example.test", "/"],
    ["wild", "A.B.Example.Test", "/api"],
    ["path", "shop.example.test", "/api"],
    ["path", "shop.example.test", "/api/"],
    ["path", "shop.example.test", "/api?x=1"],
    ["path", "shop.example.test", "/api/v22"],
    ["deeper", "Shop.Example.Test", "/api/v2/x"],
  ])("goes to %s for %s%s", async (name, host, path) => {
    expect(await ask(origin(), { host, path })).toMatchObject({ status: 200, json: { name, path } });
  });

  it("goes by its headers, and falls back to the route without them", async () => {
    const to = (tenant: string) =>
      ask(origin(), { host: "shop.example.test", path: "/api/x", headers: { "x-tenant": tenant } });
    expect((await to("blue")).json["name"]).toBe("tenant");
    expect((await to("green")).json["name"]).toBe("path");
  });

  it.each(["example.test", "test", "unknown.test", "127.0.0.1", "shop.example.test.evil"])(
    "for the host %s gets 404",
    async (host) => {
      expect(await ask(origin(), { host })).toMatchObject({ status: 404, json: { code: "DLX_NO_ROUTE" } });
    },
  );

  it("cannot choose where it goes by any header but Host", async () => {
    const headers = {
      "x-forwarded-host": "shop.example.test",
      forwarded: "host=shop.example.test",
      "x-original-host": "shop.example.test",
      "x-original-url": "/api",
    };
    expect(await ask(origin(), { host: "unknown.test", headers })).toMatchObject({ status: 404 });
    expect(await ask(origin(), { host: "other.example.test", headers })).toMatchObject({
      json: { name: "wild", path: "/" },
    });
  });

  it("in absolute form goes by its target, whatever its Host says", async () => {
    const connection = await RawConnection.open(origin());
    try {
      await connection.send(
        "GET http://Shop.Example.test/api/v2/y HTTP/1.1\r\nHost: unknown.test\r\nConnection: close\r\n\r\n",
      );
      const text = await connection.untilClosed();
      expect(text).toMatch(/^HTTP\/1\.1 200 /);
      expect(text).toContain('"name":"deeper"');
      expect(text).toContain('"path":"/api/v2/y"');
    } finally {
      await connection[Symbol.asyncDispose]();
    }
  });

  it("goes to the owner of a dedicated listener whatever its host", async () => {
    for (const host of ["whatever.test", "shop.example.test", `127.0.0.1:${dedicated}`])
      expect(await ask(`http://127.0.0.1:${dedicated}`, { host })).toMatchObject({
        status: 200,
        json: { name: "dedicated" },
      });
  });

  it("reaches a second shared listener too", async () => {
    expect(await ask(`http://[::1]:${shared}`, { host: "shop.example.test" })).toMatchObject({
      json: { name: "exact" },
    });
  });
});

it("tells the service who asked, and lets no caller lie about it", async () => {
  const lies = {
    "x-forwarded-for": "6.6.6.6",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.test",
    forwarded: "for=6.6.6.6",
  };
  const { json } = await ask(origin(), { host: "shop.example.test", headers: lies });
  const headers = json["headers"] as Record<string, string>;
  expect(headers).toMatchObject({
    host: "shop.example.test",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "http",
    "x-forwarded-host": "shop.example.test",
  });
  expect(JSON.stringify(headers)).not.toContain("6.6.6.6");
  expect(JSON.stringify(headers)).not.toContain("evil.test");
});

it("answers 508 to a request that a service sends back again and again", async () => {
  const answer = await ask(origin(), { host: "loop.test", path: "/round" });
  expect(answer).toMatchObject({ status: 508, json: { code: "DLX_LOOP" } });
  expect(readLedger(stage.gates.ledger("loop"))).toEqual(["GET /round", "GET /round"]);
});

function origin(): string {
  return `http://127.0.0.1:${shared}`;
}
