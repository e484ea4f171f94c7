import { type Clock, systemClock } from "@dormouse/core";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { HttpClient, HttpFailure, type HttpCall, parseJson } from "../src/index.ts";
import { FakeClock, type TestAnswer, type TestRequest, TestServer } from "@dormouse/core/testing";

const retries = { attempts: 3, firstWait: 1, longestWait: 2 };

interface Setting {
  readonly server: TestServer;
  readonly client: HttpClient;
  call(more?: Partial<HttpCall>): HttpCall;
  get(more?: Partial<HttpCall>, signal?: AbortSignal, deadlineMs?: number): Promise<unknown>;
}

async function open(
  answer: (request: TestRequest, count: number) => TestAnswer,
  clock: Clock = systemClock,
): Promise<Setting> {
  let count = 0;
  const server = await TestServer.open((request) => answer(request, (count += 1)));
  const client = await HttpClient.open({ clock, tls: {} });
  onTestFinished(async () => {
    await client[Symbol.asyncDispose]();
    await server.close();
  });
  const call: Setting["call"] = (more = {}) => ({
    method: "GET",
    url: new URL(`${server.url}/status?key=secret`),
    headers: { authorization: "Bearer secret" },
    timeoutMs: 5_000,
    mostBytes: 1_000,
    retries,
    ...more,
  });
  return {
    server,
    client,
    call,
    get: (more, signal, deadlineMs = 9_000) =>
      client.exchange(call(more), { signal, deadlineMs }, (given) => parseJson(call(more), given)),
  };
}

async function failureOf(promise: Promise<unknown>): Promise<HttpFailure> {
  const failure = await promise.then(
    (value) => expect.fail(`it resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(HttpFailure);
  return failure as HttpFailure;
}

/** Waits until the server has got so many requests: they travel in real time, whatever the client's clock says. */
async function untilRequests(server: TestServer, count: number): Promise<void> {
  await vi.waitUntil(() => server.requests.length >= count, { timeout: 20_000, interval: 5 });
}

describe("the HTTP client", () => {
  it.each<[string, TestAnswer]>([
    ["500", { status: 500 }],
    ["503", { status: 503 }],
    ["429", { status: 429 }],
    ["broken JSON", { body: '{"replicas":' }],
    ["HTML", { body: "<!doctype html>" }],
    ["an empty body", {}],
    ["a cut connection", (response) => response.destroy()],
    [
      "half a body",
      (response) => void response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy()),
    ],
  ])("tries again after %s", async (_, answer) => {
    const { get, server } = await open((_request, count) => (count === 1 ? answer : { body: { replicas: 3 } }));
    expect(await get()).toEqual({ replicas: 3 });
    expect(server.requests).toHaveLength(2);
  });

  it("gives up after as many tries as it may make, and says what the last one failed with", async () => {
    const { get, server } = await open(() => ({ status: 500, body: "the\n database\tis away" }));
    const failure = await failureOf(get());
    expect(failure).toMatchObject({ code: "SCALER_UNAVAILABLE", status: 500 });
    expect(failure.message).toBe(`GET ${server.url}/status answered 500: the database is away`);
    expect(server.requests).toHaveLength(3);
  });

  it.each<[number, string]>([
    [400, "SCALER_BAD_OPTIONS"],
    [401, "SCALER_FORBIDDEN"],
    [403, "SCALER_FORBIDDEN"],
    [404, "SCALER_NOT_FOUND"],
    [405, "SCALER_BAD_OPTIONS"],
    [409, "SCALER_CONFLICT"],
    [410, "SCALER_NOT_FOUND"],
    [412, "SCALER_CONFLICT"],
  ])("takes %i as a refusal that another try does not change, %s", async (status, code) => {
    const { get, server } = await open(() => ({ status }));
    expect((await failureOf(get())).code).toBe(code);
    expect(server.requests).toHaveLength(1);
  });

  it("takes a refused value of a write for one that is not supported", async () => {
    const { get } = await open(() => ({ status: 422, body: "replicas must be at least 1" }));
    const failure = await failureOf(get({ method: "PUT", body: "{}" }));
    expect(failure.code).toBe("SCALER_UNSUPPORTED");
    expect(failure.message).toContain("replicas must be at least 1");
    expect(failure.mayHaveHappened).toBe(false);
  });

  it("follows no redirect, and says where it led without its query", async () => {
    const elsewhere = await TestServer.open(() => ({ body: { replicas: 9 } }));
    onTestFinished(() => elsewhere.close());
    const { get } = await open(() => ({ status: 302, headers: { location: `${elsewhere.url}/login?token=abc` } }));
    const failure = await failureOf(get());
    expect(failure.code).toBe("SCALER_BAD_OPTIONS");
    expect(failure.message).toContain(`answered 302 to ${elsewhere.url}/login; redirects are not followed`);
    expect(elsewhere.requests).toHaveLength(0);
  });

  it("reads no more of an answer than it may", async () => {
    const { get } = await open(() => (response) => {
      response.writeHead(200);
      const more = (): void => void (response.writable && response.write("x".repeat(64), () => setImmediate(more)));
      response.on("error", () => {});
      more();
    });
    const failure = await failureOf(get({ retries: { ...retries, attempts: 1 } }));
    expect(failure.message).toContain("has more than 1000 bytes");
  });

  it("ends a try that is late, a slow body included, and names the limit", async () => {
    const clock = new FakeClock();
    const { get, server } = await open(() => (response) => void response.writeHead(200).write("{"), clock);
    const given = failureOf(get({ timeoutMs: 50 }));
    for (const tries of [1, 2, 3]) {
      await untilRequests(server, tries);
      // The client reads the head and the beginning of the body meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 20));
      await clock.advance(50 + retries.longestWait);
    }
    const failure = await given;
    expect(failure.code).toBe("SCALER_TIMEOUT");
    expect(failure.message).toContain("did not answer within 50 ms");
    expect(server.requests).toHaveLength(3);
  });

  it("ends all tries together by the deadline", async () => {
    const clock = new FakeClock();
    const { get, server } = await open(() => () => {}, clock);
    const given = failureOf(get({ retries: { attempts: 20, firstWait: 1, longestWait: 1 } }, undefined, 100));
    await untilRequests(server, 1);
    await clock.advance(100);
    expect((await given).code).toBe("SCALER_TIMEOUT");
    expect(server.requests).toHaveLength(1);
  });

  it("waits as long as the API asks", async () => {
    const { get } = await open((_request, count) =>
      count === 1 ? { status: 503, headers: { "retry-after": "1" } } : { body: { replicas: 1 } },
    );
    const since = systemClock.monotonic();
    await get();
    expect(systemClock.monotonic() - since).toBeGreaterThan(950);
  });

  it("hands on a Retry-After that is longer than the call may take", async () => {
    const { get, server } = await open(() => ({ status: 429, headers: { "retry-after": "60" } }));
    expect(await failureOf(get())).toMatchObject({
      code: "SCALER_RATE_LIMITED",
      retryAfterMs: 60_000,
      retryable: true,
    });
    expect(server.requests).toHaveLength(1);
  });

  it("says of a write whose answer was lost that it may have happened", async () => {
    const { get } = await open(() => (response) => response.destroy());
    expect((await failureOf(get({ method: "PUT", body: "{}" }))).mayHaveHappened).toBe(true);
    expect((await failureOf(get())).mayHaveHappened).toBe(false);
  });

  it("says of a write that reached nobody that nothing happened", async () => {
    const { get, server } = await open(() => ({}));
    await server.cut();
    expect(await failureOf(get({ method: "PUT", body: "{}" }))).toMatchObject({
      code: "SCALER_UNAVAILABLE",
      mayHaveHappened: false,
    });
  });

  it("does not take a refusal for the outcome where an earlier try may have been carried out", async () => {
    const { get } = await open((_request, count) => (count === 1 ? (response) => response.destroy() : { status: 412 }));
    const failure = await failureOf(get({ method: "PUT", body: "{}" }));
    expect(failure).toMatchObject({ code: "SCALER_UNAVAILABLE", mayHaveHappened: true });
    expect(failure.message).toContain("an earlier try may have been carried out");
  });

  it("sends a POST again only where nothing can have happened", async () => {
    const lost = await open(() => ({ status: 500 }));
    await failureOf(lost.get({ method: "POST", body: "{}" }));
    expect(lost.server.requests).toHaveLength(1);
    const limited = await open((_request, count) => (count === 1 ? { status: 429 } : { body: {} }));
    await limited.get({ method: "POST", body: "{}" });
    expect(limited.server.requests).toHaveLength(2);
  });

  it("takes only the statuses for success that it was told", async () => {
    const { get } = await open(() => ({ status: 200, body: {} }));
    expect((await failureOf(get({ success: [202], retries: { ...retries, attempts: 1 } }))).status).toBe(200);
  });

  it("takes a success that ignores its body for one, whatever the body is", async () => {
    const { client, call } = await open(() => (response) => void response.writeHead(200).write("never the end"));
    const written = client.exchange(
      call({ method: "PUT", body: "{}" }),
      { deadlineMs: 5_000, ignoresBody: true },
      ({ status }) => status,
    );
    expect(await written).toBe(200);
  });

  it("ends with the caller's signal, and leaves the next call alone", async () => {
    let isSilent = true;
    const { get } = await open(() => (isSilent ? () => {} : { body: { replicas: 1 } }));
    const abort = new AbortController();
    const given = get({}, abort.signal);
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: "SCALER_ABORTED" });
    isSilent = false;
    expect(await get()).toEqual({ replicas: 1 });
  });

  it("ends what runs when it is closed", async () => {
    const { get, client } = await open(() => () => {});
    const given = get();
    given.catch(() => {});
    await client[Symbol.asyncDispose]();
    await expect(given).rejects.toMatchObject({ code: "SCALER_DISPOSED" });
    await expect(get()).rejects.toMatchObject({ code: "SCALER_DISPOSED" });
  });

  it("keeps headers and queries out of messages", async () => {
    for (const answer of [{ status: 500 }, { status: 401 }, { body: "no JSON" }]) {
      const { get } = await open(() => answer);
      const failure = await failureOf(get());
      expect(`${failure.message} ${JSON.stringify(failure)}`).not.toContain("secret");
    }
  });

  it("refuses authorities that are none", async () => {
    const ca = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----";
    await expect(HttpClient.open({ clock: systemClock, tls: { ca } })).rejects.toMatchObject({
      code: "SCALER_BAD_OPTIONS",
    });
    const missing = HttpClient.open({ clock: systemClock, tls: { ca: { file: "/nowhere/ca.pem" } } });
    await expect(missing).rejects.toMatchObject({ code: "SCALER_BAD_OPTIONS" });
  });
});
