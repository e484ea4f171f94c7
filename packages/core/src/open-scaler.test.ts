import { describe, expect, it, vi } from "vitest";
import { ConfigError } from "./config-error.ts";
import { silentLogger } from "./logger.ts";
import { openScaler } from "./open-scaler.ts";
import { defaultPolicy } from "./policy.ts";
import type { ResourceScaler, ScalerPlugin } from "./resource-scaler.ts";
import { ScalerError } from "./scaler-error.ts";
import { FakeClock } from "./testing/fake-clock.ts";
import { scriptedPlugin, scriptedScaler } from "./testing/scripted-plugin.ts";

const clock = new FakeClock();
const context = { id: "local", logger: silentLogger, clock, defaults: defaultPolicy };

describe("openScaler", () => {
  it("creates one instance, with parsed options and the host's context", async () => {
    const create = vi.fn(async () => scriptedScaler({}));
    await openScaler(scriptedPlugin(scriptedScaler({}), { create }), { port: 80 }, context);
    expect(create).toHaveBeenCalledOnce();
    expect(create).toHaveBeenCalledWith({ port: 80 }, context);
  });

  it.each([undefined, null])("reads options that are %s as none", async (options) => {
    const create = vi.fn(async () => scriptedScaler({}));
    await openScaler(scriptedPlugin(scriptedScaler({}), { create }), options, context);
    expect(create).toHaveBeenCalledWith({}, context);
  });

  it("refuses wrong options with their place, and creates nothing", async () => {
    const create = vi.fn(async () => scriptedScaler({}));
    const plugin = scriptedPlugin(scriptedScaler({}), { create });
    await expect(
      openScaler(plugin, { port: "80", prot: 1 }, context, { place: "scalers[0].options" }),
    ).rejects.toMatchObject({
      name: "ConfigError",
      issues: [
        { place: "scalers[0].options.port", problem: "must be a number, not a text", mend: "write it without quotes" },
        { place: "scalers[0].options.prot", problem: "is no known key", mend: 'did you mean "port"?' },
      ],
    });
    await expect(openScaler(plugin, { prot: 1 }, context)).rejects.toMatchObject({ issues: [{ place: "local.prot" }] });
    expect(create).not.toHaveBeenCalled();
  });

  it("takes options that are read asynchronously", async () => {
    const options = {
      "~standard": { version: 1, vendor: "acme", validate: async () => ({ value: { answer: 42 } }) },
    } as const;
    const create = vi.fn(async () => scriptedScaler({}));
    await openScaler(scriptedPlugin(scriptedScaler({}), { options, create }), {}, context);
    expect(create).toHaveBeenCalledWith({ answer: 42 }, context);
  });

  it("says that the schema is broken where it throws", async () => {
    const broken = () => {
      throw new Error("oops");
    };
    const options = { "~standard": { version: 1, vendor: "acme", validate: broken } } as const;
    await expect(openScaler(scriptedPlugin(scriptedScaler({}), { options }), {}, context)).rejects.toMatchObject({
      code: "PLUGIN_INVALID",
      message: 'the options schema of plugin "scripted" threw: oops',
    });
  });

  it("puts the places that the plugin itself names below those of its options", async () => {
    const create = () =>
      Promise.reject(new ConfigError([{ place: "resources[2].policy.idleAfter", problem: "is no duration" }]));
    await expect(
      openScaler(scriptedPlugin(scriptedScaler({}), { create }), {}, context, { place: "scalers[0].options" }),
    ).rejects.toMatchObject({
      name: "ConfigError",
      message: "scalers[0].options.resources[2].policy.idleAfter: is no duration",
    });
  });

  it("passes the plugin's own reason on, and names the call for anything else", async () => {
    const own = new ScalerError("SCALER_FORBIDDEN", "no rights");
    await expect(
      openScaler(scriptedPlugin(scriptedScaler({}), { create: () => Promise.reject(own) }), {}, context),
    ).rejects.toBe(own);
    const cause = new Error("ECONNREFUSED");
    await expect(
      openScaler(scriptedPlugin(scriptedScaler({}), { create: () => Promise.reject(cause) }), {}, context),
    ).rejects.toMatchObject({
      code: "SCALER_INTERNAL",
      message: 'create of scaler "local" failed: ECONNREFUSED',
      cause,
    });
  });

  it("gives up where the plugin does not open in time, and closes what opens late", async () => {
    const created = Promise.withResolvers<ResourceScaler>();
    const opening = expect(
      openScaler(scriptedPlugin(scriptedScaler({}), { create: () => created.promise }), {}, context),
    ).rejects.toMatchObject({ code: "SCALER_TIMEOUT" });
    await clock.advance(30_000);
    await opening;
    const dispose = vi.fn(async () => {});
    created.resolve(scriptedScaler({ [Symbol.asyncDispose]: dispose }));
    await vi.waitFor(() => expect(dispose).toHaveBeenCalledOnce());
    expect(clock.pendingTimers).toBe(0);
  });

  it.each<[string, unknown]>([
    ["create gave no object", undefined],
    ["capabilities is no object", { ...scriptedScaler({}), capabilities: undefined }],
    ["setScale is no function", { ...scriptedScaler({}), setScale: undefined }],
    [
      "listResources is no function; resolveTargets is no function",
      { ...scriptedScaler({}), listResources: 1, resolveTargets: null },
    ],
    ["[Symbol.asyncDispose] is no function", { ...scriptedScaler({}), [Symbol.asyncDispose]: undefined }],
    ["capabilities.watch must be true or false", scriptedScaler({}, { watch: "yes" as never })],
    ['capabilities.replicas must be "one" or "many"', scriptedScaler({}, { replicas: 3 as never })],
    ["capabilities.settleWithinMs must be milliseconds", scriptedScaler({}, { settleWithinMs: -1 })],
    ["capabilities.watch is true, and watchResources is no function", scriptedScaler({}, { watch: true })],
    ["capabilities.routing is true, and routeTraffic is no function", scriptedScaler({}, { routing: true })],
  ])("refuses an instance: %s", async (problem, instance) => {
    const plugin = scriptedPlugin(instance as ResourceScaler);
    await expect(openScaler(plugin, {}, context)).rejects.toMatchObject({
      code: "PLUGIN_INVALID",
      message: `plugin "scripted" opened a scaler that is not of the contract's form: ${problem}`,
    });
  });

  it("closes the instance that it refuses", async () => {
    const dispose = vi.fn(async () => {});
    await expect(
      openScaler(scriptedPlugin(scriptedScaler({ [Symbol.asyncDispose]: dispose }, { watch: true })), {}, context),
    ).rejects.toMatchObject({ code: "PLUGIN_INVALID" });
    expect(dispose).toHaveBeenCalledOnce();
  });

  it("takes an instance of a class", async () => {
    class Scaler {
      readonly #inner = scriptedScaler({});
      readonly capabilities = this.#inner.capabilities;
      listResources = async () => [];
      async getResource() {
        return undefined;
      }
      async setScale() {
        return this.#inner.setScale({ namespace: "a", name: "b" }, 1);
      }
      async resolveTargets() {
        return [];
      }
      async [Symbol.asyncDispose]() {}
    }
    const plugin: ScalerPlugin = scriptedPlugin(scriptedScaler({}), { create: async () => new Scaler() });
    const guarded = await openScaler(plugin, {}, context);
    expect(await guarded.setScale({ namespace: "a", name: "b" }, 1)).toEqual({ version: "v1" });
  });
});
