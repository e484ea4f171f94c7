import { type TestPlatform, testScaler, type Undo } from "@dormouse/conformance";
import { type LocalRef, ScalerError, systemClock } from "@dormouse/core";
import { MemoryScaler } from "@dormouse/core/testing";
import { describe, it } from "vitest";
import { scaler as plugin } from "../src/index.ts";
import { serveScaler } from "./serve-scaler.ts";

const ref = { namespace: "default", name: "web" };
const other = { namespace: "default", name: "db" };

// What the Python example does not have is judged on core's scaler in memory, served over the same protocol.
describe.each([
  ["watch and routing", { replicas: "many", watch: true, routing: true, compareAndSet: true }],
  ["one replica and nothing else", { replicas: "one", watch: false, routing: false, compareAndSet: false }],
] as const)("with %s", (_, flags) => {
  const capabilities = { ...flags, settleWithinMs: 100 };
  testScaler({ describe, it, plugin, open: () => openMemory(capabilities) });
});

async function openMemory(capabilities: MemoryScaler["capabilities"]): Promise<TestPlatform> {
  const resources = [ref, other].map(({ name }) => ({ name }));
  const memory = new MemoryScaler({ clock: systemClock, resources, startMs: 5, stopMs: 10, capabilities });
  const served = await serveScaler(() => memory);
  return {
    options: { http: { url: served.url } },
    ref,
    other,
    async close() {
      await served[Symbol.asyncDispose]();
      await memory[Symbol.asyncDispose]();
    },
    reach: async ({ id }) => isUp(memory, id),
    changeElsewhere: async (each) => memory.changePolicy(each, { idleAfter: 1_000 }),
    async breakStart(each) {
      memory.setFailure(each, { code: "SCALER_START_FAILED", message: "exit code 1" });
      return async () => memory.setFailure(each, undefined);
    },
    async remove(each) {
      memory.remove(each);
      return async () => void memory.add({ name: each.name });
    },
    endInstance: async () => memory.resource(ref).crash(),
    stallPlatform: async () => before(memory, stalled),
    cutPlatform: async () => before(memory, () => Promise.reject(new ScalerError("SCALER_UNAVAILABLE", "cut"))),
    routedTo: async (each: LocalRef) => memory.resource(each).routedTo,
  };
}

function isUp(memory: MemoryScaler, id: string): boolean {
  const instances = [ref, other].flatMap((each) => memory.resource(each).instances);
  return instances.some((one) => one.id === id && one.state !== "starting");
}

function before(memory: MemoryScaler, work: NonNullable<MemoryScaler["beforeCall"]>): Undo {
  memory.beforeCall = work;
  return async () => {
    memory.beforeCall = undefined;
  };
}

function stalled(_call: unknown, signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));
}
