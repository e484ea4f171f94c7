import { silentLogger } from "@dormouse/core";
import { beforeEach, describe, expect, it } from "vitest";
import { FakeAdminHost, scalerFailure, someEvent } from "../../test/fake-admin-host.ts";
import { createAdminApp } from "./admin-app.ts";
import type { Access } from "./authorize.ts";
import { EventStreams } from "./event-stream.ts";

let host: FakeAdminHost;
let access: Access;

beforeEach(() => {
  host = new FakeAdminHost();
  access = { token: undefined, openMetrics: false };
});

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const streams = new EventStreams({ clock: host.clock, journal: host.journal, process: host.process });
  const app = createAdminApp({ host, access: () => access, streams, logger: silentLogger });
  return app.fetch(
    new Request(`http://127.0.0.1:8081${path}`, {
      ...init,
      headers: { host: "127.0.0.1:8081", ...(init.headers as Record<string, string>) },
    }),
  );
}

const hello = "/v1/resources/local/default/hello";

describe("a host that runs one part alone", () => {
  it("puts nothing to sleep as a DLX, and says who does", async () => {
    host.role = "dlx";
    const refused = await ask(`${hello}/sleep`, { method: "POST" });
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, ""]);
    expect(await refused.json()).toMatchObject({ detail: expect.stringContaining("Ask the autoscaler") as string });
    expect((await ask(`${hello}/wake`, { method: "POST" })).status).toBe(200);
  });

  it("has no activity and takes no fence as an autoscaler", async () => {
    host.role = "autoscaler";
    host.peer = undefined;
    const fence = { method: "PUT", body: '{"attempt":"a"}' };
    for (const answer of [await ask("/v1/activity"), await ask("/v1/fences/local/default/hello", fence)]) {
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ detail: expect.stringContaining("has no DLX") as string });
    }
  });

  it("brings the counts of others up to date before it shows them", async () => {
    for (const path of ["/v1/resources", hello, `${hello}/why`]) await ask(path);
    expect(host.refreshes).toBe(3);
  });

  it("is alive until its loop stands still, and says so", async () => {
    host.alive = false;
    const answer = await ask("/healthz");
    expect([answer.status, await answer.text()]).toEqual([503, "no tick\n"]);
  });
});

describe("a DLX that is asked by another host", () => {
  const fence = (headers: Record<string, string>): Promise<Response> =>
    ask("/v1/fences/local/default/hello", { method: "PUT", body: '{"attempt":"a"}', headers });

  it("names itself, whether or not it was named", async () => {
    for (const answer of [await fence({}), await fence({ "dormouse-peer": "p1" }), await ask("/v1/activity")])
      expect([answer.status, answer.headers.get("dormouse-peer")]).toEqual([200, "p1"]);
  });

  it("does nothing for whoever means another one", async () => {
    const answer = await fence({ "dormouse-peer": "p2" });
    expect([answer.status, answer.headers.get("dormouse-peer")]).toEqual([421, "p1"]);
    expect(await answer.json()).toMatchObject({ code: "ADMIN_OTHER_DLX" });
    expect(host.asked).toEqual([]);
  });
});

describe("what is asked for", () => {
  it("liveness and readiness are plain; a host that stops is not ready, and says why", async () => {
    expect(await (await ask("/healthz")).text()).toBe("ok\n");
    expect((await ask("/readyz")).status).toBe(200);
    host.ready = false;
    const refused = await ask("/readyz");
    expect([refused.status, await refused.text()]).toEqual([503, "stopping\n"]);
    expect((await ask("/healthz")).status).toBe(200);
  });

  it("metrics are in Prometheus' content type", async () => {
    const answer = await ask("/metrics");
    expect([answer.headers.get("content-type"), await answer.text()]).toEqual([
      "text/plain; version=0.0.4; charset=utf-8",
      "some_metric 1\n",
    ]);
  });

  it("resources, one resource, why and activity are JSON that nobody caches", async () => {
    const list = await ask("/v1/resources");
    expect(list.headers.get("content-type")).toBe("application/json");
    expect(list.headers.get("cache-control")).toBe("no-store");
    expect(await list.json()).toMatchObject({
      resources: [{ ref: "local/default/hello" }],
      config: { file: "d.yaml" },
    });
    expect(await (await ask(hello)).json()).toMatchObject({ ref: "local/default/hello" });
    expect(await (await ask(`${hello}/why`)).json()).toMatchObject({ next: { kind: "sleep" } });
    expect(await (await ask("/v1/activity")).json()).toMatchObject({ process: "p1" });
  });

  it("wakes and sleeps answer with the event, its times cut to microseconds", async () => {
    const wake = await ask(`${hello}/wake`, { method: "POST" });
    expect(await wake.json()).toEqual({ ...someEvent(), tookMs: 412.346, phases: { claim: 0.432, start: 400 } });
    await ask(`${hello}/sleep`, { method: "POST", body: '{"reason":"night"}' });
    expect(host.asked).toEqual([
      { wake: "hello", by: "operator", reason: "asked for by the admin API" },
      { sleep: "hello", by: "operator", reason: "night" },
    ]);
  });

  it("a fence answers for its attempt", async () => {
    const answer = await ask("/v1/fences/local/default/hello", { method: "PUT", body: '{"attempt":"a1"}' });
    expect(await answer.json()).toEqual({ process: "p1", attempt: "a1", inFlight: 0, held: 0 });
  });

  it("events are a list unless a stream is asked for", async () => {
    host.journal.record(someEvent());
    expect(await (await ask("/v1/events")).json()).toMatchObject({ events: [{ kind: "wake" }] });
    expect((await ask("/v1/events", { headers: { accept: "text/event-stream" } })).headers.get("content-type")).toBe(
      "text/event-stream",
    );
  });

  it("HEAD is answered like GET, without a body", async () => {
    const answer = await ask("/v1/resources", { method: "HEAD" });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
  });
});

describe("what is refused", () => {
  async function problemOf(path: string, init?: RequestInit): Promise<unknown> {
    const answer = await ask(path, init);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    const problem = (await answer.json()) as { code: string; status: number };
    expect(problem.status).toBe(answer.status);
    return [answer.status, problem.code];
  }

  it.each([
    ["an unknown path", "/v1/nothing", {}, [404, "ADMIN_NOT_FOUND"]],
    ["a path above", "/", {}, [404, "ADMIN_NOT_FOUND"]],
    ["an unknown resource", "/v1/resources/local/default/other", {}, [404, "SCALER_NOT_FOUND"]],
    ["why of an unknown resource", "/v1/resources/local/default/other/why", {}, [404, "SCALER_NOT_FOUND"]],
    ["a name that can be none", "/v1/resources/local/default/he%20llo", {}, [400, "ADMIN_BAD_REQUEST"]],
    ["a body that is no JSON", `${hello}/wake`, { method: "POST", body: "{" }, [400, "ADMIN_BAD_REQUEST"]],
    ["a body that is no object", `${hello}/wake`, { method: "POST", body: "[]" }, [400, "ADMIN_BAD_REQUEST"]],
    ["a reason that is no text", `${hello}/wake`, { method: "POST", body: '{"reason":1}' }, [400, "ADMIN_BAD_REQUEST"]],
    [
      "a body that is too long",
      `${hello}/wake`,
      { method: "POST", body: "x".repeat(20_000) },
      [413, "ADMIN_TOO_LARGE"],
    ],
    [
      "a fence without an attempt",
      "/v1/fences/local/default/hello",
      { method: "PUT", body: "{}" },
      [400, "ADMIN_BAD_REQUEST"],
    ],
  ])("%s", async (_, path, init, expected) => {
    expect(await problemOf(path, init)).toEqual(expected);
    expect(host.asked).toEqual([]);
  });

  it.each([
    ["/v1/resources", "POST", "GET, HEAD"],
    [`${hello}/wake`, "GET", "POST"],
    ["/v1/fences/local/default/hello", "POST", "PUT"],
    ["/healthz", "DELETE", "GET, HEAD"],
  ])("%s by %s, with the methods that it takes", async (path, method, allow) => {
    const answer = await ask(path, { method });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, allow]);
  });

  it("a wake that fails, with the scaler's code and the platform's own text", async () => {
    host.failure = scalerFailure();
    const answer = await ask(`${hello}/wake`, { method: "POST" });
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { title: "Service Unavailable", status: 503, code: "SCALER_START_FAILED", detail: "exit code 1: no such file" },
    ]);
  });

  it("a fault of ours, without its details", async () => {
    host.failure = new TypeError("secret internals");
    const answer = await ask(`${hello}/wake`, { method: "POST" });
    expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringContaining("secret")]);
  });
});

describe("without a token", () => {
  it.each(["localhost:8081", "127.0.0.1", "127.1.2.3:80", "[::1]:8081", "dormouse.localhost", "LOCALHOST."])(
    "the host %s is this machine",
    async (name) => {
      expect((await ask("/v1/resources", { headers: { host: name } })).status).toBe(200);
    },
  );

  it.each(["evil.test", "evil.test:8081", "127.0.0.1.evil.test", "localhost.evil.test", "10.0.0.1", "1270.0.0.1", ""])(
    "the host %j is refused, also for reading",
    async (name) => {
      expect((await ask("/v1/resources", { headers: { host: name } })).status).toBe(403);
    },
  );

  it.each([
    ["a page of another host", { origin: "http://evil.test" }],
    ["a page of no known origin", { origin: "null" }],
    ["a page of another site, whatever origin it claims", { "sec-fetch-site": "cross-site" }],
    ["a page of another port of this machine", { "sec-fetch-site": "same-site" }],
  ])("%s may change nothing", async (_, headers) => {
    expect((await ask(`${hello}/wake`, { method: "POST", headers })).status).toBe(403);
    expect(host.asked).toEqual([]);
  });

  it("a page of this machine may", async () => {
    expect(
      (
        await ask(`${hello}/wake`, {
          method: "POST",
          headers: { origin: "http://localhost:8081", "sec-fetch-site": "same-origin" },
        })
      ).status,
    ).toBe(200);
  });

  it("probes are answered whatever host they name", async () => {
    expect((await ask("/healthz", { headers: { host: "10.1.2.3:8081" } })).status).toBe(200);
  });
});

describe("with a token", () => {
  beforeEach(() => {
    access = { token: "t0ken", openMetrics: false };
  });

  it.each([undefined, "t0ken", "Basic t0ken", "Bearer", "Bearer other", "Bearer t0ken x", "Bearer t0ke"])(
    "%j is not enough",
    async (authorization) => {
      const answer = await ask("/v1/resources", authorization === undefined ? {} : { headers: { authorization } });
      expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="dormouse"']);
    },
  );

  it("who shows it may do everything, under any host name", async () => {
    expect(
      (await ask("/v1/resources", { headers: { authorization: "bearer t0ken", host: "dormouse.example.com" } })).status,
    ).toBe(200);
  });

  it("probes need none, and metrics only where they are open", async () => {
    expect((await ask("/readyz")).status).toBe(200);
    expect((await ask("/metrics")).status).toBe(401);
    access = { token: "t0ken", openMetrics: true };
    expect((await ask("/metrics")).status).toBe(200);
    expect((await ask("/v1/resources")).status).toBe(401);
  });
});
