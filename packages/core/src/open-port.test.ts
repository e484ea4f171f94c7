import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { ConfigError } from "./config-error.ts";
import { definePort, defineScaler, type PortInstances, type PortKind } from "./define-plugin.ts";
import { silentLogger } from "./logger.ts";
import type { MetricsSource } from "./metrics-source.ts";
import { openPort } from "./open-port.ts";
import { ScalerError } from "./scaler-error.ts";
import { FakeClock } from "./testing/fake-clock.ts";

const clock = new FakeClock();
const context = { id: "prom", logger: silentLogger, clock };
const options = z.strictObject({ url: z.string() });
const source: MetricsSource = { read: async () => [], [Symbol.asyncDispose]: async () => {} };

const metrics = (create: () => Promise<MetricsSource>) =>
  definePort("metricsSource", { name: "prometheus", options, create });

describe("openPort", () => {
  it("opens an instance with parsed options and the host's context", async () => {
    const create = vi.fn(async () => source);
    expect(await openPort(metrics(create), { url: "http://x" }, context)).toBe(source);
    expect(create).toHaveBeenCalledExactlyOnceWith({ url: "http://x" }, context);
  });

  it("refuses wrong options with their place", async () => {
    const create = vi.fn(async () => source);
    await expect(
      openPort(metrics(create), { ulr: "x", url: "y" }, context, { place: "autoscaler.metrics[0].options" }),
    ).rejects.toThrow('autoscaler.metrics[0].options.ulr: is no known key; did you mean "url"?');
    expect(create).not.toHaveBeenCalled();
  });

  it("puts the places that the plugin itself names below those of its options", async () => {
    const create = () => Promise.reject(new ConfigError([{ place: "url", problem: "cannot be reached" }]));
    await expect(openPort(metrics(create), { url: "x" }, context)).rejects.toMatchObject({
      issues: [{ place: "prom.url" }],
    });
  });

  it("passes the plugin's own reason on, and gives up where it does not open in time", async () => {
    const own = new ScalerError("SCALER_FORBIDDEN", "no");
    await expect(
      openPort(
        metrics(() => Promise.reject(own)),
        { url: "x" },
        context,
      ),
    ).rejects.toBe(own);
    const created = Promise.withResolvers<MetricsSource>();
    const opening = expect(
      openPort(
        metrics(() => created.promise),
        { url: "x" },
        context,
      ),
    ).rejects.toMatchObject({ code: "SCALER_TIMEOUT" });
    await clock.advance(30_000);
    await opening;
    const dispose = vi.fn(async () => {});
    created.resolve({ ...source, [Symbol.asyncDispose]: dispose });
    await vi.waitFor(() => expect(dispose).toHaveBeenCalledOnce());
  });

  it.each<[PortKind, unknown, string]>([
    ["metricsSource", { ...source, read: 1 }, "read must be functions"],
    ["metricsSource", undefined, "read, [Symbol.asyncDispose] must be functions"],
    ["routeSource", { [Symbol.asyncDispose]: async () => {} }, "watchRoutes must be functions"],
    ["peerDiscovery", {}, "listPeers, [Symbol.asyncDispose] must be functions"],
    ["leaderElector", { isLeader: () => true, [Symbol.asyncDispose]: async () => {} }, "lead must be functions"],
  ])("refuses a %s that lacks a method", async (kind, instance, problem) => {
    const plugin = definePort(kind, {
      name: "mine",
      options: z.object({}),
      create: async () => instance as PortInstances[PortKind],
    });
    await expect(openPort(plugin, {}, context)).rejects.toMatchObject({
      code: "PLUGIN_INVALID",
      message: `plugin "mine" opened no ${kind}: ${problem}`,
    });
  });
});

it("closes the instance that it refuses", async () => {
  const dispose = vi.fn(async () => {});
  const instance = { [Symbol.asyncDispose]: dispose } as unknown as MetricsSource;
  await expect(
    openPort(
      metrics(async () => instance),
      { url: "x" },
      context,
    ),
  ).rejects.toMatchObject({ code: "PLUGIN_INVALID" });
  expect(dispose).toHaveBeenCalledOnce();
});

describe("plugins", () => {
  it("are plain values with their kind and contract", () => {
    expect(metrics(async () => source)).toMatchObject({ contract: 1, kind: "metricsSource", name: "prometheus" });
    const scaler = defineScaler({
      contract: 1,
      name: "mine",
      options: z.object({}),
      create: () => Promise.reject(new Error("no")),
    });
    expect(scaler).toMatchObject({ contract: 1, kind: "scaler", name: "mine" });
  });
});
