import { type Capabilities, defineScaler, type ResourceScaler } from "@dormouse/core";
import { z } from "zod";
import { MemoryPlatform } from "../memory/memory-platform.ts";
import type { MemoryPlugin } from "../memory/memory-test.ts";
import { type Mutant, never, pluginMutant, scalerMutant } from "./mutant.ts";

export const shapeMutants: readonly Mutant[] = [
  pluginMutant("shape/contract", "is made for the next contract", () => ({ contract: 2 })),
  pluginMutant("shape/name", "has a name with a space", () => ({ name: "In memory" })),
  pluginMutant("shape/options-schema", "has a schema of another version of Standard Schema", ({ options }) => ({
    options: { "~standard": { ...options["~standard"], version: 2 as 1 } },
  })),
  pluginMutant("shape/options-refuse-unknown-keys", "ignores unknown keys", () => ({
    options: z.object({ platform: z.instanceof(MemoryPlatform), names: z.array(z.string()) }),
  })),
  pluginMutant("shape/options-never-throw", "reads a key of options that are null", ({ options }) => ({
    options: {
      "~standard": {
        ...options["~standard"],
        validate: (raw) => {
          Reflect.get(raw as object, "platform");
          return options["~standard"].validate(raw);
        },
      },
    },
  })),
  scalerMutant("shape/capabilities", "has no bound on late effects", ({ capabilities }) => ({
    capabilities: { ...capabilities, settleWithinMs: -1 },
  })),
  scalerMutant("shape/capabilities-constant", "changes its bound with every look", ({ capabilities }) => {
    let looks = 0;
    return {
      get capabilities(): Capabilities {
        looks += 1;
        return { ...capabilities, settleWithinMs: capabilities.settleWithinMs + looks };
      },
    };
  }),
  {
    ...scalerMutant("shape/methods", "declares a watch that it does not have", () => ({
      watchResources: undefined as never,
    })),
    shows: ({ watch }) => watch,
  },
  {
    ...scalerMutant("shape/methods", "declares a routing that it does not have", () => ({
      routeTraffic: undefined as never,
    })),
    shows: ({ routing }) => routing,
  },

  scalerMutant("lifecycle/create-wakes-nothing", "starts everything when it is opened", (_, platform) => {
    for (const record of platform.records.values()) platform.write(record, 1);
  }),
  scalerMutant("lifecycle/dispose-resolves", "never finishes disposing while something starts", (scaler, platform) => ({
    async [Symbol.asyncDispose]() {
      const isStarting = [...platform.records.values()].some(({ instances }) =>
        instances.some(({ phase }) => phase === "starting"),
      );
      await (isStarting ? never() : scaler[Symbol.asyncDispose]());
    },
  })),
  scalerMutant("lifecycle/dispose-ends-calls", "forgets pending calls when it is disposed", (scaler) => ({
    async resolveTargets(ref, port, options) {
      const call = scaler.resolveTargets(ref, port, options);
      return call.catch((error: unknown) => (scaler.disposed.signal.aborted ? never() : Promise.reject(error)));
    },
  })),
  scalerMutant("lifecycle/dispose-leaves-no-timer", "leaves a timer behind", (_scaler, _platform, { clock }) => {
    clock.setTimer(3_600_000, () => {});
  }),
  scalerMutant("guard/serves-behind-it", "has capabilities that are lost when they are copied", (scaler) => ({
    capabilities: new CapabilityGetters(scaler.capabilities),
  })),

  reconfigureMutant(
    "reconfigure/disturbs-nothing",
    "restarts everything with new options",
    async (faithful, scaler, options, context) => {
      await faithful.reconfigure?.(scaler, options, context);
      const { platform } = scaler;
      for (const record of platform.records.values()) {
        for (const instance of record.instances) platform.stop(record, instance);
        platform.reconcile(record);
      }
    },
  ),
  reconfigureMutant(
    "reconfigure/takes-new-defaults",
    "keeps the old defaults",
    async (faithful, scaler, options, context) => {
      const { policy } = [...scaler.platform.records.values()][0] ?? {};
      await faithful.reconfigure?.(scaler, options, { ...context, defaults: policy ?? context.defaults });
    },
  ),
  reconfigureMutant(
    "reconfigure/drops-from-the-list",
    "goes on listing what the options no longer have",
    async (faithful, scaler, options, context) => {
      await faithful.reconfigure?.(scaler, { ...options, names: ["web", "db"] }, context);
    },
  ),
  reconfigureMutant(
    "reconfigure/dropped-can-be-stopped",
    "forgets at once what the options no longer have",
    async (faithful, scaler, options, context) => {
      await faithful.reconfigure?.(scaler, options, context);
      if (!options.names.includes("db")) scaler.platform.records.delete("default/db");
    },
  ),
];

type Reconfigure = NonNullable<MemoryPlugin["reconfigure"]>;

function reconfigureMutant(
  breaks: string,
  how: string,
  reconfigure: (faithful: MemoryPlugin, ...call: Parameters<Reconfigure>) => Promise<void>,
): Mutant {
  const plugin: Mutant["plugin"] = (faithful) =>
    defineScaler({
      ...faithful,
      reconfigure: async (...call: Parameters<Reconfigure>) => reconfigure(faithful, ...call),
    });
  return { breaks, how, plugin };
}

/** Getters of a class are no own properties, and a copy of the object has none of them. */
class CapabilityGetters implements Capabilities {
  readonly #own: ResourceScaler["capabilities"];

  constructor(own: Capabilities) {
    this.#own = own;
  }

  get replicas(): Capabilities["replicas"] {
    return this.#own.replicas;
  }

  get watch(): boolean {
    return this.#own.watch;
  }

  get routing(): boolean {
    return this.#own.routing;
  }

  get compareAndSet(): boolean {
    return this.#own.compareAndSet;
  }

  get settleWithinMs(): number {
    return this.#own.settleWithinMs;
  }
}
