import { ScalerError } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { bodyOf, RawConnection, sendRaw } from "./raw-http.ts";
import { appRoute, openTarget, openTestFront } from "./test-front.ts";

const close = "Host: app.example\r\nConnection: close\r\n";
const get = `GET / HTTP/1.1\r\n${close}\r\n`;
const browser = `GET /path?q HTTP/1.1\r\n${close}Sec-Fetch-Mode: navigate\r\nAccept: text/html,application/xhtml+xml\r\n\r\n`;

describe("a held request", () => {
  it("is answered by its service once that is awake, body and all", async () => {
    const target = await openTarget((request, response) => void request.pipe(response));
    const { port, gate } = await openTestFront();
    const response = sendRaw(port, `POST / HTTP/1.1\r\n${close}Content-Length: 5\r\n\r\nhello`);
    await eventually(() => expect(gate.held).toBe(1));
    gate.wake(target);
    expect(bodyOf(await response)).toContain("hello");
  });

  it.each([
    ["DLX_HOLD_FULL", 503, 3_200, "4"],
    ["DLX_OVERLOADED", 503, undefined, "1"],
    ["DLX_WAKE_TIMEOUT", 504, 400, "1"],
    ["DLX_WAKE_TIMEOUT", 504, undefined, undefined],
    ["DLX_STOPPING", 503, undefined, "1"],
    ["SCALER_CRASH_LOOP", 503, 60_000, "60"],
    ["SCALER_FORBIDDEN", 503, undefined, "30"],
    ["SCALER_UNSUPPORTED", 503, undefined, undefined],
  ] as const)("is refused as problem details: %s", async (code, status, retryAfterMs, retryAfter) => {
    const { port, gate, records } = await openTestFront();
    const response = sendRaw(port, get);
    await eventually(() => expect(gate.held).toBe(1));
    gate.refuse(new ScalerError(code, "secret of the platform", retryAfterMs === undefined ? {} : { retryAfterMs }));
    const text = await response;
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(/Retry-After: (\d+)\r\n/.exec(text)?.[1]).toBe(retryAfter);
    expect(text).toContain("Content-Type: application/problem+json\r\n");
    expect(text).toContain("Cache-Control: no-store\r\n");
    const problem = JSON.parse(bodyOf(text)) as Record<string, unknown>;
    expect(problem).toMatchObject({ type: "about:blank", status, code, resource: "local/default/app" });
    expect(Object.keys(problem)).toEqual(["type", "title", "status", "code", "resource", "detail"]);
    expect(text).not.toContain("secret");
    await eventually(() => expect(records).toEqual([{ key: "local/default/app", status, cold: false }]));
  });

  it("is refused with an error that is no error of a scaler, and says nothing of it", async () => {
    const { port, gate } = await openTestFront();
    const response = sendRaw(port, get);
    await eventually(() => expect(gate.held).toBe(1));
    gate.refuse(new TypeError("x is not a function") as never);
    const text = await response;
    expect(text).toMatch(/^HTTP\/1.1 503 .*"code":"SCALER_INTERNAL"/s);
    expect(text).not.toContain("not a function");
  });

  it("with an unread body is refused without breaking the connection", async () => {
    const { port, gate } = await openTestFront();
    const client = await RawConnection.open(port);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
    client.write(Buffer.alloc(200_000));
    await eventually(() => expect(gate.held).toBe(1));
    gate.refuse(new ScalerError("DLX_HOLD_FULL", "full"));
    await client.until("DLX_HOLD_FULL");
    client.write(Buffer.alloc(100_000));
    client.write(get);
    await eventually(() => expect(gate.held).toBe(1));
    client.destroy();
  });

  it("of gRPC waits as long as its caller and is refused by a status in the head", async () => {
    const { port, gate } = await openTestFront();
    const response = sendRaw(
      port,
      `POST /svc/Method HTTP/1.1\r\n${close}Content-Type: application/grpc+proto\r\nGrpc-Timeout: 1500m\r\nContent-Length: 0\r\n\r\n`,
    );
    await eventually(() => expect(gate.held).toBe(1));
    expect(gate.holds[0]?.patienceMs).toBe(1_500);
    gate.refuse(new ScalerError("DLX_WAKE_TIMEOUT", "late"));
    const text = await response;
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\nContent-Type: application\/grpc\r\nGrpc-Status: 4\r\n/);
    expect(text).toContain("Grpc-Message: DLX_WAKE_TIMEOUT: The service did not wake in time.\r\n");
    expect(bodyOf(text)).toBe("");
  });

  it.each([
    ["200S", 200_000],
    ["5M", 300_000],
    ["1H", 3_600_000],
    ["250m", 250],
    ["1500u", 1.5],
    ["9n", 9e-6],
    ["soon", undefined],
    ["123456789S", undefined],
  ])("of gRPC reads %s", async (text, patienceMs) => {
    const { port, gate } = await openTestFront();
    const client = await RawConnection.open(port);
    client.write(`GET / HTTP/1.1\r\n${close}Content-Type: application/grpc\r\nGrpc-Timeout: ${text}\r\n\r\n`);
    await eventually(() => expect(gate.held).toBe(1));
    expect(gate.holds[0]?.patienceMs).toBe(patienceMs);
    client.destroy();
  });
});

describe("a browser that goes to a page", () => {
  it("is held for a moment, and served by the service if that wakes in time", async () => {
    const target = await openTarget((_request, response) => void response.end("page"));
    const { port, gate } = await openTestFront();
    const response = sendRaw(port, browser);
    await eventually(() => expect(gate.held).toBe(1));
    expect(gate.holds[0]?.patienceMs).toBe(1_500);
    gate.wake(target);
    expect(await response).toMatch(/^HTTP\/1.1 200 OK/);
    expect(gate.pokes).toBe(0);
  });

  it.each(["DLX_WAKE_TIMEOUT", "DLX_HOLD_FULL", "DLX_OVERLOADED"] as const)(
    "gets a page that asks again after %s, and the wake goes on",
    async (code) => {
      const { port, gate, records } = await openTestFront();
      gate.wakeP95Ms = 3_400;
      const response = sendRaw(port, browser);
      await eventually(() => expect(gate.held).toBe(1));
      gate.refuse(new ScalerError(code, "not yet"));
      const text = await response;
      expect(text).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\nContent-Type: text\/html; charset=utf-8\r\n/);
      expect(text).toContain("Retry-After: 4\r\n");
      expect(text).toContain("Cache-Control: no-store\r\n");
      expect(text).toContain("Content-Security-Policy: default-src 'none';");
      expect(text).toContain('<meta http-equiv="refresh" content="4">');
      expect(text).toContain('<html lang="en">');
      expect(text).toContain("app.example was asleep");
      expect(text).not.toMatch(/<script|src=|href=/);
      expect(gate.pokes).toBe(1);
      await eventually(() => expect(records[0]?.status).toBe(503));
    },
  );

  it("sees its own text only as text", async () => {
    const { port, gate } = await openTestFront();
    const response = sendRaw(port, browser.replace("app.example", "a'&b"));
    await eventually(() => expect(gate.held).toBe(1));
    gate.refuse(new ScalerError("DLX_WAKE_TIMEOUT", "not yet"));
    expect(bodyOf(await response)).toContain("a&#39;&amp;b was asleep");
  });

  it("is told of a wake that failed, as a page that a person can read", async () => {
    const { port, gate } = await openTestFront();
    const response = sendRaw(port, browser);
    await eventually(() => expect(gate.held).toBe(1));
    gate.refuse(new ScalerError("SCALER_START_FAILED", "secret"));
    const text = await response;
    expect(text).toMatch(/^HTTP\/1.1 503 .*text\/html/s);
    expect(text).toContain("The service did not start.");
    expect(text).not.toMatch(/secret|http-equiv="refresh"/);
    expect(gate.pokes).toBe(0);
  });

  it("is held as anybody else where the policy says so", async () => {
    const { port, gate } = await openTestFront({ policy: { waitingPage: "never" } });
    const client = await RawConnection.open(port);
    client.write(browser);
    await eventually(() => expect(gate.held).toBe(1));
    expect(gate.holds[0]?.patienceMs).toBeUndefined();
    client.destroy();
  });

  it.each([
    ["POST", browser.replace("GET", "POST")],
    ["a fetch", browser.replace("navigate", "cors")],
    ["one that takes no HTML", browser.replace("text/html", "image/png")],
  ])("is something else than %s", async (_name, bytes) => {
    const { port, gate } = await openTestFront();
    const client = await RawConnection.open(port);
    client.write(bytes);
    await eventually(() => expect(gate.held).toBe(1));
    expect(gate.holds[0]?.patienceMs).toBeUndefined();
    client.destroy();
  });
});

describe("neverWake", () => {
  const neverWake = {
    paths: ["/healthz", "/probes/*"],
    userAgents: ["kube-probe"],
    networks: ["192.0.2.0/24"],
    status: 204,
  };

  it.each([
    ["an exact path", "/healthz", ""],
    ["an exact path with a query", "/healthz?full", ""],
    ["a path below a prefix", "/probes/live", ""],
    ["a user agent in any case", "/", "User-Agent: Mozilla KUBE-Probe/1.30\r\n"],
  ])("answers while the service sleeps, without waking it: %s", async (_name, path, header) => {
    const { port, gate, records } = await openTestFront({ policy: { neverWake } });
    const text = await sendRaw(port, `GET ${path} HTTP/1.1\r\n${close}${header}\r\n`);
    expect(text).toMatch(/^HTTP\/1.1 204 No Content\r\n/);
    expect(gate.holds).toEqual([]);
    expect(gate.pokes).toBe(0);
    await eventually(() => expect(records[0]?.status).toBe(204));
  });

  it.each([
    ["/healthz/x", ""],
    ["/probes", ""],
    ["/Healthz", ""],
    ["/", "X-Forwarded-For: 192.0.2.7\r\n"],
  ])("holds everything else: %s %s", async (path, header) => {
    const { port, gate } = await openTestFront({ policy: { neverWake } });
    const client = await RawConnection.open(port);
    client.write(`GET ${path} HTTP/1.1\r\n${close}${header}\r\n`);
    await eventually(() => expect(gate.held).toBe(1));
    expect(gate.holds[0]?.activity).toBe(true);
    client.destroy();
  });

  it("knows the client that trusted proxies forward for", async () => {
    const config = { trustedProxies: ["127.0.0.0/8", "10.0.0.0/8"] };
    const { port, gate } = await openTestFront({ policy: { neverWake }, config });
    const ask = (chain: string): Promise<string> =>
      sendRaw(port, `GET / HTTP/1.1\r\n${close}X-Forwarded-For: ${chain}\r\n\r\n`);
    expect(await ask("203.0.113.9, 192.0.2.7, 10.1.2.3")).toMatch(/^HTTP\/1.1 204 /);
    const other = ask("192.0.2.7, 203.0.113.9, 10.1.2.3");
    await eventually(() => expect(gate.held).toBe(1));
    gate.refuse(new ScalerError("DLX_HOLD_FULL", "full"));
    await other;
  });

  it("forwards while the service is awake, and counts that as no activity", async () => {
    const target = await openTarget((request, response) => void response.end(request.url));
    const { port, gate } = await openTestFront({ policy: { neverWake }, targets: [target] });
    expect(await sendRaw(port, `GET /healthz HTTP/1.1\r\n${close}\r\n`)).toContain("/healthz");
    expect(await sendRaw(port, `GET /other HTTP/1.1\r\n${close}\r\n`)).toContain("/other");
    expect(gate.entered).toEqual([{ activity: false }, undefined]);
  });
});

describe("a request without a route", () => {
  it("is answered 404", async () => {
    const { port, records } = await openTestFront({ routes: [{ ...appRoute, host: "other.example" }] });
    const text = await sendRaw(port, get);
    expect(text).toMatch(/^HTTP\/1.1 404 Not Found/);
    expect(JSON.parse(bodyOf(text))).toEqual({
      type: "about:blank",
      title: "Not Found",
      status: 404,
      code: "DLX_NO_ROUTE",
      detail: "No service answers at this address.",
    });
    await eventually(() => expect(records).toEqual([{ key: "", status: 404, cold: false }]));
  });

  it("is told of a route whose resource is gone", async () => {
    const ref = { scaler: "local", namespace: "default", name: "gone" };
    const { port } = await openTestFront({ routes: [{ ref, origin: "test" }] });
    expect(await sendRaw(port, get)).toMatch(/^HTTP\/1.1 404 .*DLX_NO_ROUTE/s);
  });

  it("waits while some scaler has not listed, and goes on as soon as there is a route", async () => {
    const target = await openTarget((_request, response) => void response.end("found"));
    const test = await openTestFront({ routes: [], targets: [target] });
    test.isStarting = true;
    const response = sendRaw(test.port, get);
    await eventually(() => expect(test.front.active).toBe(1));
    await test.front.setRoutes([appRoute]);
    expect(await response).toContain("found");
  });

  it("is answered 404 once everything is listed and nothing matches", async () => {
    const test = await openTestFront({ routes: [] });
    test.isStarting = true;
    const response = sendRaw(test.port, get);
    await eventually(() => expect(test.front.active).toBe(1));
    test.isStarting = false;
    expect(await response).toMatch(/^HTTP\/1.1 404 /);
  });

  it("is answered 503 after ten seconds of starting", async () => {
    const clock = new FakeClock();
    const test = await openTestFront({ routes: [], clock });
    test.isStarting = true;
    const response = sendRaw(test.port, get);
    await eventually(() => expect(test.front.active).toBe(1));
    await clock.advance(10_050);
    expect(await response).toMatch(/^HTTP\/1.1 503 .*Retry-After: 2\r\n.*"code":"DLX_STARTING"/s);
    expect(clock.pendingTimers).toBe(0);
  });

  it("is answered 503 at once where too many wait already", async () => {
    const test = await openTestFront({ routes: [], config: { maxHeld: 1 } });
    test.isStarting = true;
    const first = await RawConnection.open(test.port);
    first.write(get);
    await eventually(() => expect(test.front.active).toBe(1));
    expect(await sendRaw(test.port, get)).toMatch(/^HTTP\/1.1 503 .*DLX_STARTING/s);
    first.destroy();
    await eventually(() => expect(test.front.active).toBe(0));
    expect(test.records.map((record) => record.status)).toEqual([503, 499]);
  });
});

describe("the loop guard", () => {
  it("counts each pass, and answers 508 to a request that has passed twice", async () => {
    let passes = 0;
    const self = { port: 0 };
    const target = await openTarget((request, response) => {
      passes += 1;
      const again = new URL(`http://127.0.0.1:${self.port}${request.url}`);
      void fetch(again, { headers: { "x-dormouse-hops": String(request.headers["x-dormouse-hops"]) } }).then(
        async (inner) => {
          response.writeHead(inner.status).end(await inner.text());
        },
      );
    });
    const { port } = await openTestFront({ targets: [target] });
    self.port = port;
    expect(await sendRaw(port, get)).toMatch(/^HTTP\/1.1 508 .*"code":"DLX_LOOP"/s);
    expect(passes).toBe(2);
  });

  it.each(["2", "9", "10", "-1", "x", "", "1, 1", "0x1"])("takes %j for too many", async (hops) => {
    const target = await openTarget((_request, response) => void response.end());
    const { port } = await openTestFront({ targets: [target] });
    expect(await sendRaw(port, `GET / HTTP/1.1\r\n${close}X-Dormouse-Hops: ${hops}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 508 /,
    );
    expect(target.connections()).toBe(0);
  });

  it("cannot be got round by two headers, nor by naming it in Connection", async () => {
    const seen: unknown[] = [];
    const target = await openTarget((request, response) => {
      seen.push(request.headers["x-dormouse-hops"]);
      response.end();
    });
    const { port } = await openTestFront({ targets: [target] });
    const twice = `GET / HTTP/1.1\r\n${close}X-Dormouse-Hops: 0\r\nX-Dormouse-Hops: 0\r\n\r\n`;
    expect(await sendRaw(port, twice)).toMatch(/^HTTP\/1.1 508 /);
    await sendRaw(
      port,
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Dormouse-Hops\r\nX-Dormouse-Hops: 1\r\n\r\n",
    );
    expect(seen).toEqual(["2"]);
  });
});
