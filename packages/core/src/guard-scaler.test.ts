import { describe, expect, it, vi } from "vitest";
import type { GuardedScaler } from "./guard-scaler.ts";
import { defaultPolicy } from "./policy.ts";
import type { CallOptions, ResourceScaler } from "./resource-scaler.ts";
import { ScalerError } from "./scaler-error.ts";
import { countListeners } from "./testing/count-listeners.ts";
import { openScripted, someResource } from "./testing/scripted-plugin.ts";

const web = { namespace: "default", name: "web" };
const never = (): Promise<never> => new Promise(() => {});

/** Each call that returns a promise, as a host makes it. */
const calls: readonly (readonly [string, (scaler: GuardedScaler, options?: CallOptions) => Promise<unknown>])[] = [
  ["listResources", (scaler, options) => scaler.listResources(options)],
  ["getResource", (scaler, options) => scaler.getResource(web, options)],
  ["setScale", (scaler, options) => scaler.setScale(web, 1, options)],
  ["resolveTargets", (scaler, options) => scaler.resolveTargets(web, "http", options)],
  ["routeTraffic", (scaler, options) => scaler.routeTraffic!(web, "dlx", { version: "v1", ...options })],
];

/** A scaler whose every call does the same. */
function openWith(work: (signal: AbortSignal | undefined) => Promise<never>) {
  const methods: Partial<ResourceScaler> = {
    listResources: (options) => work(options?.signal),
    getResource: (_ref, options) => work(options?.signal),
    setScale: (_ref, _replicas, options) => work(options?.signal),
    resolveTargets: (_ref, _port, options) => work(options?.signal),
    routeTraffic: (_ref, _to, options) => work(options.signal),
  };
  return openScripted(methods, { routing: true });
}

describe.each(calls)("%s behind the guard", (name, call) => {
  it("ends at its deadline where the plugin hangs, and tells the plugin", async () => {
    let signal: AbortSignal | undefined;
    const { guarded, clock } = await openWith((given) => {
      signal = given;
      return never();
    });
    const calling = expect(call(guarded)).rejects.toMatchObject({
      code: "SCALER_TIMEOUT",
      retryable: true,
      message: `${name} of scaler "local" did not answer within 10000 ms; its outcome is unknown`,
    });
    await clock.advance(9_999);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);
    await calling;
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toMatchObject({ code: "SCALER_TIMEOUT" });
  });

  it("ends promptly when its caller gives up, though the plugin hangs, and leaves no listener or timer", async () => {
    const { guarded, clock } = await openWith(never);
    const abort = new AbortController();
    const listeners = countListeners(abort.signal);
    const calling = call(guarded, { signal: abort.signal });
    expect(listeners()).toBe(1);
    const reason = new Error("the client left");
    abort.abort(reason);
    await expect(calling).rejects.toMatchObject({ code: "SCALER_ABORTED", cause: reason });
    expect(listeners()).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("never starts where its caller has given up before", async () => {
    const work = vi.fn(never);
    const { guarded } = await openWith(work);
    await expect(call(guarded, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "SCALER_ABORTED" });
    expect(work).not.toHaveBeenCalled();
  });

  it("ends when the scaler is closed, and never starts afterwards", async () => {
    const work = vi.fn(never);
    const { guarded, clock } = await openWith(work);
    const calling = expect(call(guarded)).rejects.toMatchObject({ code: "SCALER_DISPOSED" });
    await guarded[Symbol.asyncDispose]();
    await calling;
    await expect(call(guarded)).rejects.toMatchObject({ code: "SCALER_DISPOSED" });
    expect(work).toHaveBeenCalledOnce();
    expect(clock.pendingTimers).toBe(0);
  });

  it("passes the plugin's own ScalerError on as it is", async () => {
    const error = new ScalerError("SCALER_QUOTA", "no quota", { retryAfterMs: 1 });
    const { guarded } = await openWith(() => Promise.reject(error));
    await expect(call(guarded)).rejects.toBe(error);
  });

  it("makes SCALER_INTERNAL of anything else that the plugin throws, also before it returns a promise", async () => {
    const error = new TypeError("x is undefined");
    for (const work of [
      () => Promise.reject(error),
      (): never => {
        throw error;
      },
    ]) {
      const { guarded } = await openWith(work);
      await expect(call(guarded)).rejects.toMatchObject({
        code: "SCALER_INTERNAL",
        message: `${name} of scaler "local" failed: x is undefined`,
        cause: error,
      });
    }
  });

  it("leaves no listener and no timer after success", async () => {
    const { guarded, clock } = await openScripted({ routeTraffic: async () => {} }, { routing: true });
    const { signal } = new AbortController();
    const listeners = countListeners(signal);
    await call(guarded, { signal });
    expect(listeners()).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("ignores what the plugin does late", async () => {
    const late = Promise.withResolvers<never>();
    const { guarded } = await openWith(() => late.promise);
    const abort = new AbortController();
    const calling = call(guarded, { signal: abort.signal });
    abort.abort();
    await expect(calling).rejects.toMatchObject({ code: "SCALER_ABORTED" });
    // An unhandled rejection would fail the test run.
    late.reject(new Error("late"));
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe("arguments", () => {
  it.each<[string, (scaler: GuardedScaler) => Promise<unknown>]>([
    ["ref must", (scaler) => scaler.getResource({ namespace: "a/b", name: "x" })],
    ["ref must", (scaler) => scaler.setScale({ namespace: "default", name: "" }, 1)],
    ["ref must", (scaler) => scaler.resolveTargets({ namespace: "default", name: ".." }, undefined)],
    ["ref must", (scaler) => scaler.getResource(undefined as never)],
    ["replicas must", (scaler) => scaler.setScale(web, -1)],
    ["replicas must", (scaler) => scaler.setScale(web, 1.5)],
    ["replicas must", (scaler) => scaler.setScale(web, Number.NaN)],
    ["replicas must", (scaler) => scaler.setScale(web, Number.POSITIVE_INFINITY)],
    ["replicas must", (scaler) => scaler.setScale(web, "1" as never)],
    ["ifVersion must", (scaler) => scaler.setScale(web, 1, { ifVersion: "" })],
    ["port must", (scaler) => scaler.resolveTargets(web, "")],
    ["to must", (scaler) => scaler.routeTraffic!(web, "nowhere" as never, { version: "v1" })],
    ["version must", (scaler) => scaler.routeTraffic!(web, "dlx", { version: "" })],
    ["version must", (scaler) => scaler.routeTraffic!(web, "dlx", undefined as never)],
  ])("are refused before the plugin sees them: %s", async (problem, call) => {
    const work = vi.fn(never);
    const { guarded } = await openWith(work);
    await expect(call(guarded)).rejects.toMatchObject({ code: "SCALER_BAD_ARGUMENT", retryable: false });
    await expect(call(guarded)).rejects.toThrow(problem);
    expect(work).not.toHaveBeenCalled();
  });

  it("has no count above 1 where the scaler has one replica", async () => {
    const { guarded } = await openScripted({}, { replicas: "one" });
    await expect(guarded.setScale(web, 2)).rejects.toMatchObject({ code: "SCALER_BAD_ARGUMENT" });
    expect(await guarded.setScale(web, 1)).toEqual({ version: "v1" });
  });

  it("has no ifVersion where the scaler cannot compare and set", async () => {
    const setScale = vi.fn(async () => ({ version: "v2" }));
    const { guarded } = await openScripted({ setScale }, { compareAndSet: false });
    await expect(guarded.setScale(web, 1, { ifVersion: "v1" })).rejects.toMatchObject({ code: "SCALER_UNSUPPORTED" });
    expect(setScale).not.toHaveBeenCalled();
  });

  it("reach the plugin as they are, with a signal and without what belongs to the host", async () => {
    const setScale = vi.fn(async () => ({ version: "v2" }));
    const resolveTargets = vi.fn(async () => []);
    const { guarded } = await openScripted({ setScale, resolveTargets });
    await guarded.setScale({ scaler: "local", ...web } as never, 3, { ifVersion: "v1" });
    expect(setScale).toHaveBeenCalledWith(web, 3, { ifVersion: "v1", signal: expect.any(AbortSignal) as AbortSignal });
    await guarded.setScale(web, 0);
    expect(setScale).toHaveBeenLastCalledWith(web, 0, { signal: expect.any(AbortSignal) as AbortSignal });
    await guarded.resolveTargets(web, undefined);
    expect(resolveTargets).toHaveBeenCalledWith(web, undefined, { signal: expect.any(AbortSignal) as AbortSignal });
  });
});

describe("closing", () => {
  it("happens once, however often it is asked for", async () => {
    const dispose = vi.fn(async () => {});
    const { guarded } = await openScripted({ [Symbol.asyncDispose]: dispose });
    await Promise.all([guarded[Symbol.asyncDispose](), guarded[Symbol.asyncDispose]()]);
    await guarded[Symbol.asyncDispose]();
    expect(dispose).toHaveBeenCalledOnce();
  });

  it("gives the plugin time to stop its instances, but not for ever", async () => {
    const { guarded, clock } = await openScripted({ [Symbol.asyncDispose]: never });
    const closing = expect(guarded[Symbol.asyncDispose]()).rejects.toMatchObject({ code: "SCALER_TIMEOUT" });
    await clock.advance(60_000);
    await closing;
    expect(clock.pendingTimers).toBe(0);
  });

  it("says what went wrong in it", async () => {
    const { guarded } = await openScripted({ [Symbol.asyncDispose]: () => Promise.reject(new Error("busy")) });
    await expect(guarded[Symbol.asyncDispose]()).rejects.toMatchObject({
      code: "SCALER_INTERNAL",
      message: 'dispose of scaler "local" failed: busy',
    });
  });
});

describe("reconfigure", () => {
  it("is false where the plugin cannot", async () => {
    const { guarded } = await openScripted({});
    expect(await guarded.reconfigure({}, defaultPolicy)).toBe(false);
  });

  it("hands the plugin its instance, parsed options and the new defaults", async () => {
    const reconfigure = vi.fn(async () => {});
    const { guarded } = await openScripted({}, {}, { reconfigure });
    const defaults = { ...defaultPolicy, maxHeld: 5 };
    expect(await guarded.reconfigure({ port: 80 }, defaults)).toBe(true);
    expect(reconfigure).toHaveBeenCalledWith(
      expect.objectContaining({ setScale: expect.any(Function) as unknown }),
      { port: 80 },
      expect.objectContaining({ id: "local", defaults }),
    );
  });

  it("refuses wrong options before the plugin sees them, and says where they stand", async () => {
    const reconfigure = vi.fn(async () => {});
    const { guarded } = await openScripted({}, {}, { reconfigure }, { place: "scalers[0].options" });
    await expect(guarded.reconfigure({ prot: 80 }, defaultPolicy)).rejects.toMatchObject({
      issues: [{ place: "scalers[0].options.prot", mend: 'did you mean "port"?' }],
    });
    expect(reconfigure).not.toHaveBeenCalled();
  });
});

describe("what it shows", () => {
  it("names the instance and the plugin, and keeps the capabilities as they were", async () => {
    const { guarded } = await openScripted({}, { settleWithinMs: 50 });
    expect(guarded).toMatchObject({ id: "local", plugin: "scripted", capabilities: { settleWithinMs: 50 } });
    expect(Object.isFrozen(guarded.capabilities)).toBe(true);
  });

  it("has no methods that the capabilities deny, even where the plugin has them", async () => {
    const { guarded } = await openScripted({ watchResources: async function* () {}, routeTraffic: async () => {} });
    expect(guarded.watchResources).toBeUndefined();
    expect(guarded.routeTraffic).toBeUndefined();
  });

  it("passes good answers on unchanged", async () => {
    const targets = [
      {
        id: "1",
        host: "::1",
        port: 1,
        ready: true,
        probe: { path: "/ready", port: 2, status: 204, headers: { a: "b" } },
      },
    ];
    const list = [someResource];
    const { guarded } = await openScripted({
      listResources: async () => list,
      getResource: async () => someResource,
      resolveTargets: async () => targets,
    });
    expect(await guarded.listResources()).toBe(list);
    expect(await guarded.getResource(web)).toBe(someResource);
    expect(await guarded.resolveTargets(web, "http")).toBe(targets);
  });
});
