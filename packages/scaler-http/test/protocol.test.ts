import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { openTestScaler, refOf, serve } from "./test-scaler.ts";
import type { TestAnswer, TestRequest } from "@dormouse/core/testing";

const app = refOf("app");

/** The ScaleIt protocol; `fails` says which requests fail first. */
function scaleIt(replicas: number, fails: (request: TestRequest) => TestAnswer | undefined = () => undefined) {
  const state = { replicas };
  const answer = (request: TestRequest): TestAnswer => {
    const failure = fails(request);
    if (failure !== undefined) return failure;
    if (request.method === "GET" && request.path === "/app/status")
      return { body: { cpu: { highPriority: 0.68 }, replicas: state.replicas } };
    if (request.method !== "PUT" || request.path !== "/app/replicas") return { status: 404 };
    const wanted = (JSON.parse(request.body) as { readonly replicas: number }).replicas;
    if (!Number.isSafeInteger(wanted) || wanted < 1) return { status: 400, body: "invalid" };
    state.replicas = wanted;
    return { status: 204 };
  };
  return { state, answer };
}

describe("the scaler http", () => {
  it("speaks the ScaleIt protocol with nothing but a URL", async () => {
    const { state, answer } = scaleIt(10);
    const server = await serve(answer);
    const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url }] });
    expect(await scaler.getResource(app)).toMatchObject({ desired: 10, ready: 10, wakeReplicas: 10 });
    await scaler.setScale(app, 11);
    expect(state.replicas).toBe(11);
    await expect(scaler.resolveTargets(app, undefined)).rejects.toMatchObject({
      code: "SCALER_UNSUPPORTED",
      message: expect.stringContaining("app has no targets") as unknown,
    });
    const [get, put] = server.requests;
    expect(get).toMatchObject({
      method: "GET",
      path: "/app/status",
      headers: { accept: "application/json" },
      body: "",
    });
    expect(put).toMatchObject({
      method: "PUT",
      path: "/app/replicas",
      headers: { "content-type": "application/json" },
      body: '{"replicas":11}',
    });
  });

  it("refuses fewer replicas than the API takes before it sends anything", async () => {
    const server = await serve(scaleIt(1).answer);
    const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url }] });
    await expect(scaler.setScale(app, 0)).rejects.toMatchObject({
      code: "SCALER_UNSUPPORTED",
      message:
        "app takes no fewer than 1 replicas (minimum): it cannot sleep; where the API takes 0 after all, set minimum: 0",
    });
    expect(server.requests).toHaveLength(0);
  });

  it("bears errors now and then, and an answer that was lost", async () => {
    const failures: TestAnswer[] = [{ status: 500 }, (response) => response.destroy()];
    const { state, answer } = scaleIt(3, () => failures.shift());
    const server = await serve(answer);
    const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url }] });
    await scaler.setScale(app, 4);
    expect(state.replicas).toBe(4);
    expect(server.requests.map(({ method }) => method)).toEqual(["PUT", "PUT", "PUT"]);
  });

  it("speaks another protocol as it is told, with the resource's own keys over the top's", async () => {
    const server = await serve(({ method }) =>
      method === "POST" ? { status: 202 } : { body: { spec: { count: 2 }, up: 1 } },
    );
    const { scaler } = await openTestScaler({
      url: `${server.url}/v2/{{namespace}}/{{name}}?tenant=a`,
      token: "secret",
      headers: { "x-a": "top", "x-b": "top" },
      status: { path: "/status", replicas: "$.spec.count", ready: "$.up" },
      scale: {
        method: "POST",
        path: "/resize?to={{replicas}}",
        body: { count: "{{replicas}}", note: "{{name}} to {{replicas}}" },
        success: [202],
      },
      resources: [
        {
          name: "app",
          namespace: "shop",
          headers: { "x-b": "own" },
          basicAuth: { username: "me", password: "it" },
          status: { path: "" },
        },
      ],
    });
    const ref = { namespace: "shop", name: "app" };
    expect(await scaler.getResource(ref)).toMatchObject({ desired: 2, ready: 1 });
    await scaler.setScale(ref, 5);
    const [get, post] = server.requests;
    expect(get).toMatchObject({
      path: "/v2/shop/app?tenant=a",
      headers: { "x-a": "top", "x-b": "own", authorization: `Basic ${btoa("me:it")}` },
    });
    expect(post).toMatchObject({ path: "/v2/shop/app/resize?tenant=a&to=5", body: '{"count":5,"note":"app to 5"}' });
  });

  it("leaves a change by others its version, and moves its own with each write", async () => {
    const { state, answer } = scaleIt(3);
    const server = await serve(answer);
    const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url }] });
    const first = await scaler.getResource(app);
    const second = await scaler.getResource(app);
    expect(second?.version).toBe(first?.version);
    state.replicas = 5;
    const changed = await scaler.getResource(app);
    expect(changed?.version).not.toBe(first?.version);
    const { version } = await scaler.setScale(app, 5);
    expect(version).not.toBe(changed?.version);
    expect((await scaler.getResource(app))?.version).toBe(version);
  });

  it("does not believe an answer that was under way while a write was accepted", async () => {
    const { state, answer } = scaleIt(3);
    const held: (() => void)[] = [];
    let isHolding = false;
    const server = await serve((request) => {
      if (request.method !== "GET" || !isHolding) return answer(request);
      const before = JSON.stringify({ replicas: state.replicas });
      return (response) => void held.push(() => response.end(before));
    });
    const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url }] });
    await scaler.getResource(app);
    isHolding = true;
    const reading = scaler.getResource(app);
    await expect.poll(() => held.length).toBe(1);
    isHolding = false;
    const { version } = await scaler.setScale(app, 4);
    held[0]?.();
    expect(await reading).toMatchObject({ desired: 4, version });
    expect(await scaler.getResource(app)).toMatchObject({ desired: 4, version });
  });

  it("writes one count after the other, and leaves out one that was given up while it waited", async () => {
    const { state, answer } = scaleIt(1);
    const held: (() => void)[] = [];
    const server = await serve((request) => {
      if (request.method !== "PUT") return answer(request);
      const carryOut = (response: ServerResponse): void => {
        answer(request);
        response.writeHead(204).end();
      };
      return (response) => void held.push(() => carryOut(response));
    });
    const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url }] });
    const abort = new AbortController();
    const writes = [
      scaler.setScale(app, 2),
      scaler.setScale(app, 3, { signal: abort.signal }),
      scaler.setScale(app, 4),
    ];
    await expect.poll(() => held.length).toBe(1);
    abort.abort();
    await expect(writes[1]).rejects.toMatchObject({ code: "SCALER_ABORTED" });
    held[0]?.();
    await writes[0];
    await expect.poll(() => held.length).toBe(2);
    held[1]?.();
    await writes[2];
    expect(state.replicas).toBe(4);
    expect(server.requests.map(({ body }) => body)).toEqual(['{"replicas":2}', '{"replicas":4}']);
  });

  it("moves the version of a write whose outcome is not known, and not that of a refused one", async () => {
    let failure: TestAnswer | undefined;
    const { answer } = scaleIt(3, ({ method }) => (method === "PUT" ? failure : undefined));
    const server = await serve(answer);
    const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url }] });
    const before = (await scaler.getResource(app))?.version;
    failure = { status: 400 };
    await expect(scaler.setScale(app, 4)).rejects.toMatchObject({ code: "SCALER_UNSUPPORTED" });
    expect((await scaler.getResource(app))?.version).toBe(before);
    failure = { status: 500 };
    await expect(scaler.setScale(app, 4)).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE", retryable: true });
    expect((await scaler.getResource(app))?.version).not.toBe(before);
  });

  it("says that the outcome is unknown where a conditional write was lost and then refused", async () => {
    const answers: TestAnswer[] = [(response) => response.destroy(), { status: 412 }];
    const server = await serve(({ method }) =>
      method === "PUT" ? (answers.shift() ?? {}) : { headers: { etag: '"7"' }, body: { replicas: 1 } },
    );
    const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url }], compareAndSet: {} });
    await expect(scaler.setScale(app, 2, { ifVersion: '"7"' })).rejects.toMatchObject({ code: "SCALER_UNAVAILABLE" });
    expect(server.requests[0]?.headers["if-match"]).toBe('"7"');
  });

  it("takes versions out of the body, and writes them into another header, where it is told to", async () => {
    const server = await serve(({ method }) => ({
      body: method === "PUT" ? { meta: { rev: 8 } } : { replicas: 1, meta: { rev: 7 } },
    }));
    const compareAndSet = { version: "$.meta.rev", header: "X-Revision" };
    const { scaler } = await openTestScaler({ resources: [{ name: "app", url: server.url }], compareAndSet });
    expect((await scaler.getResource(app))?.version).toBe("7");
    expect(await scaler.setScale(app, 2, { ifVersion: "7" })).toEqual({ version: "8" });
    expect(server.requests[1]?.headers["x-revision"]).toBe("7");
  });

  it("keeps the count of before a sleep with the API, where it can", async () => {
    const state = { replicas: 0, before: 4 };
    const server = await serve(({ method, body }) => {
      if (method === "PUT") Object.assign(state, JSON.parse(body));
      return { body: state };
    });
    const options = {
      minimum: 0,
      status: { wakeReplicas: "$.before" },
      scale: { body: { replicas: "{{replicas}}", before: "{{wakeReplicas}}" } },
      resources: [{ name: "app", url: server.url }],
    };
    const { scaler } = await openTestScaler(options);
    await scaler.setScale(app, 0);
    expect(state).toEqual({ replicas: 0, before: 4 });
    expect(await scaler.getResource(app)).toMatchObject({ desired: 0, wakeReplicas: 4 });
    await scaler.setScale(app, 6);
    const again = await openTestScaler(options);
    await scaler.setScale(app, 0);
    expect(await again.scaler.getResource(app)).toMatchObject({ desired: 0, wakeReplicas: 6 });
  });
});
