import { systemClock } from "@dormouse/core";
import { FakeClock } from "@dormouse/core/testing";
import { afterEach, describe, expect, it } from "vitest";
import { type FaultRates, noFaults } from "./request-fault.ts";
import { ScaleItModel } from "./scaleit-model.ts";
import { openScaleItServer, type ScaleItServer, type ScaleItServerOptions } from "./scaleit-server.ts";

let server: ScaleItServer | undefined;

afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

async function open({
  faults = noFaults,
  ...options
}: Partial<Omit<ScaleItServerOptions, "faults">> & { readonly faults?: FaultRates } = {}): Promise<string> {
  const model = new ScaleItModel({ seed: 1, noise: 0, load: () => 8 });
  server = await openScaleItServer({ model, clock: new FakeClock(), seed: 1, faults: () => faults, ...options });
  return `http://127.0.0.1:${String(server.port)}`;
}

function put(url: string, body: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/app/replicas`, { method: "PUT", body, ...(signal !== undefined && { signal }) });
}

async function status(url: string): Promise<unknown> {
  return (await fetch(`${url}/app/status`, { headers: { accept: "application/json" } })).json();
}

describe("the ScaleIt server", () => {
  it("tells replicas and CPU, and takes another number of replicas with 204 and no body", async () => {
    const url = await open();
    expect(await status(url)).toEqual({ cpu: { highPriority: 0.8 }, replicas: 10 });
    const answer = await put(url, '{"replicas": 11}');
    expect([answer.status, await answer.text()]).toEqual([204, ""]);
    expect(await status(url)).toMatchObject({ replicas: 11 });
  });

  it.each(["", "{", "[]", "null", "{}", '{"replicas": 0}', '{"replicas": -1}', '{"replicas": 1.5}'])(
    "refuses %j with 400 and stays as it is",
    async (body) => {
      const url = await open();
      expect((await put(url, body)).status).toBe(400);
      expect(await status(url)).toMatchObject({ replicas: 10 });
    },
  );

  it.each(['{"replicas": "11"}', '{"replicas": 1001}', `{"replicas": 11, "more": "${"x".repeat(70_000)}"}`])(
    "refuses texts, too many replicas and bodies without end",
    async (body) => {
      const url = await open();
      expect((await put(url, body)).status).toBe(400);
    },
  );

  it("knows two paths, each with one method", async () => {
    const url = await open();
    expect((await fetch(`${url}/`)).status).toBe(404);
    const wrong = await fetch(`${url}/app/status`, { method: "POST" });
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET"]);
    expect((await fetch(`${url}/app/replicas`)).status).toBe(405);
  });

  it("lets simulated time pass with its clock, by its speed", async () => {
    const clock = new FakeClock();
    const model = new ScaleItModel({ seed: 1, noise: 0, lagMs: 1, load: (atMs) => atMs / 10_000 });
    const url = await open({ clock, model, speed: 10 });
    await clock.advance(2_000);
    expect(await status(url)).toEqual({ cpu: { highPriority: 0.2 }, replicas: 10 });
  });

  it("answers 500 where the seed says so, and changes nothing then", async () => {
    const url = await open({ faults: { error: 1, timeout: 0, broken: 0 } });
    expect((await fetch(`${url}/app/status`)).status).toBe(500);
    expect((await put(url, '{"replicas": 3}')).status).toBe(500);
    expect(server?.counts).toEqual({ received: 2, faults: 2, unanswered: 0 });
  });

  it("breaks off its JSON where the seed says so", async () => {
    const url = await open({ faults: { error: 0, timeout: 0, broken: 1 } });
    const answer = await fetch(`${url}/app/status`);
    expect(answer.status).toBe(200);
    await expect(answer.json()).rejects.toThrow(SyntaxError);
  });

  it("does not answer where the seed says so, although it has done what it was asked for", async () => {
    const model = new ScaleItModel({ seed: 1, load: () => 8 });
    const url = await open({ model, clock: systemClock, faults: { error: 0, timeout: 1, broken: 0 } });
    const client = new AbortController();
    const answer = put(url, '{"replicas": 3}', client.signal).catch((error: unknown) => error);
    while (server?.counts.unanswered === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(model.sample().replicas).toBe(3);
    // Time enough for an answer that should not come.
    await systemClock.sleep(100);
    client.abort();
    expect(await answer).toMatchObject({ name: "AbortError" });
  });

  it("cuts off a client that waits for ever", async () => {
    const clock = new FakeClock();
    const url = await open({ clock, faults: { error: 0, timeout: 1, broken: 0 } });
    const answer = fetch(`${url}/app/status`).catch((error: unknown) => error);
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(60_000);
    expect(await answer).toBeInstanceOf(TypeError);
  });

  it("closes with requests open", async () => {
    const url = await open({ faults: { error: 0, timeout: 1, broken: 0 } });
    const answer = fetch(`${url}/app/status`).catch((error: unknown) => error);
    while (server?.counts.unanswered === 0) await new Promise((resolve) => setImmediate(resolve));
    await server?.[Symbol.asyncDispose]();
    server = undefined;
    expect(await answer).toBeInstanceOf(TypeError);
  });
});
