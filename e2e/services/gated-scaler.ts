// A scaler to be loaded by path: the scaler `process` with routing added, whose calls about the resource of the variable
// GATED wait at gates. Before a call goes on to the platform, and again before its answer comes back, it looks for the file
// `hold.STEP`; while that is there it has written `at.STEP` and waits. So a test stops a wake or a sleep of a host that runs
// as it was built, and has all the time it wants to do something to it.
import type { LocalRef, ResourceScaler, ScalerPlugin } from "@dormouse/core";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { routedScaler } from "../harness/routed-scaler.ts";

const folder = process.env["GATES"] ?? "";
const gated = process.env["GATED"];

/** The plugin. */
export const scaler: ScalerPlugin = {
  ...routedScaler,
  name: "gated-process",
  create: async (options, context) => withGates(await routedScaler.create(options, context)),
};

/** A write to what is at 0 is a claim; one to what is not is a mark, or a claim after a fence that no stop followed. */
const writes = {
  claim: { before: "claim", after: "claimed" },
  mark: { before: "mark", after: "marked" },
  stop: { before: "stop", after: "stopped" },
} as const;

function withGates(inner: ResourceScaler): ResourceScaler {
  return {
    capabilities: inner.capabilities,
    listResources: (options) => inner.listResources(options),
    watchResources: (options) => inner.watchResources?.(options) ?? nothing(),
    resolveTargets: (...call) => inner.resolveTargets(...call),
    getResource: (...call) => inner.getResource(...call),
    setScale: async (ref, replicas, options) => {
      const resource = await inner.getResource(ref, options);
      const { before, after } = writes[replicas === 0 ? "stop" : resource?.desired === 0 ? "claim" : "mark"];
      await pass(ref, before);
      const accepted = await inner.setScale(ref, replicas, options);
      await pass(ref, after);
      return accepted;
    },
    routeTraffic: async (ref, to, options) => {
      await inner.routeTraffic?.(ref, to, options);
      await pass(ref, "diverted");
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

async function pass({ name }: LocalRef, step: string): Promise<void> {
  const hold = join(folder, `hold.${step}`);
  if (name !== gated || !existsSync(hold)) return;
  writeFileSync(join(folder, `at.${step}`), "");
  while (existsSync(hold)) await sleep(5);
}

async function* nothing(): AsyncGenerator<never> {}
