import { type CallOptions, type Resource, ScalerError } from "@dormouse/core";
import { MemoryPlatform } from "../memory/memory-platform.ts";
import { type Mutant, never, scalerMutant } from "./mutant.ts";

const faithful = MemoryPlatform.prototype;

/** How calls end: on abort, with errors, and beside each other. */
export const callMutants: readonly Mutant[] = [
  scalerMutant("cancel/aborted-before-rejects", "does not look at a signal that has aborted already", (scaler) => ({
    listResources: async (options) => scaler.listResources(withoutAborted(options)),
    getResource: async (ref, options) => scaler.getResource(ref, withoutAborted(options)),
    resolveTargets: async (ref, port, options) => scaler.resolveTargets(ref, port, withoutAborted(options)),
  })),
  scalerMutant(
    "cancel/aborted-before-changes-nothing",
    "writes first and looks at the signal then",
    (scaler, platform) => ({
      async setScale(ref, replicas, options) {
        if (options?.signal?.aborted === true) platform.write(platform.find(ref), replicas);
        return scaler.setScale(ref, replicas, options);
      },
    }),
  ),
  scalerMutant("cancel/says-aborted", "translates an abort as a failure of the platform", (scaler) => ({
    async listResources(options) {
      try {
        return await scaler.listResources(options);
      } catch (error) {
        throw options?.signal?.aborted === true ? new ScalerError("SCALER_INTERNAL", "the list failed") : error;
      }
    },
  })),
  scalerMutant("cancel/settles-promptly", "never settles a read that is aborted on its way", (scaler, platform) => ({
    async getResource(ref, options) {
      const isAborted = options?.signal?.aborted === true;
      const call = scaler.getResource(ref, options);
      const isLost = (): boolean => options?.signal?.aborted === true && !isAborted && !platform.isStalled;
      return call.catch((error: unknown) => (isLost() ? never() : Promise.reject(error)));
    },
  })),
  scalerMutant("cancel/leaves-a-stalled-platform", "keeps the signal from the platform's client", (_, platform) => {
    platform.travel = async (signal) => (platform.isStalled ? never() : faithful.travel.call(platform, signal));
  }),
  scalerMutant("cancel/keeps-no-lock", "keeps its lock when a call is aborted", (scaler) => {
    let locked = Promise.resolve();
    return {
      async setScale(ref, replicas, options) {
        options?.signal?.throwIfAborted();
        const before = locked;
        const { promise, resolve } = Promise.withResolvers<void>();
        locked = promise;
        await Promise.race([before, whenAborted(options)]);
        return scaler.setScale(ref, replicas, options).finally(() => {
          if (options?.signal?.aborted !== true) resolve();
        });
      },
    };
  }),
  scalerMutant("cancel/ends-one-caller-only", "shares one request, and its end, among all callers", (scaler) => {
    let shared: Promise<readonly Resource[]> | undefined;
    return {
      async listResources(options) {
        shared ??= scaler.listResources(options).finally(() => {
          shared = undefined;
        });
        return shared;
      },
    };
  }),
  scalerMutant("cancel/settles-in-time", "lets an aborted write land long after", (scaler, platform) => ({
    async setScale(ref, replicas, options) {
      const wasAborted = options?.signal?.aborted === true;
      try {
        return await scaler.setScale(ref, replicas, options);
      } catch (error) {
        const landsAfterMs = platform.capabilities.settleWithinMs * 1.5;
        const land = (): void => void platform.write(platform.find(ref), replicas);
        if (options?.signal?.aborted === true && !wasAborted) platform.clock.setTimer(landsAfterMs, land);
        throw error;
      }
    },
  })),

  scalerMutant("errors/scaling-nothing", "fails in its own words for what is not there", (scaler, platform) => ({
    async setScale(ref, replicas, options) {
      await requireKnown(platform, ref.name, () => new ScalerError("SCALER_INTERNAL", "HTTP 404"));
      return scaler.setScale(ref, replicas, options);
    },
  })),
  scalerMutant("errors/targets-of-nothing", "has no targets for what is not there", (scaler, platform) => ({
    async resolveTargets(ref, port, options) {
      return ref.name in { web: 1, db: 1 } || platform.isCut ? scaler.resolveTargets(ref, port, options) : [];
    },
  })),
  scalerMutant("errors/are-scaler-errors", "throws errors of its own with a code", (scaler, platform) => ({
    async setScale(ref, replicas, options) {
      await requireKnown(platform, ref.name, () => Object.assign(new Error("HTTP 404"), { code: "SCALER_NOT_FOUND" }));
      return scaler.setScale(ref, replicas, options);
    },
  })),
  scalerMutant("errors/outage-is-no-answer", "lists nothing while the platform is away", (scaler, platform) => ({
    listResources: async (options) => (platform.isCut ? [] : scaler.listResources(options)),
  })),
  scalerMutant("errors/outage-is-retryable", "takes an outage for a failure of its own", (_, platform) => {
    platform.travel = async (signal) => {
      if (platform.isCut) throw new ScalerError("SCALER_INTERNAL", "connection refused");
      await faithful.travel.call(platform, signal);
    };
  }),
  scalerMutant("errors/outage-passes", "keeps a broken connection", (_, platform) => {
    let isBroken = false;
    platform.travel = async (signal) => {
      isBroken ||= platform.isCut;
      if (isBroken) throw new ScalerError("SCALER_UNAVAILABLE", "connection refused");
      await faithful.travel.call(platform, signal);
    };
  }),
];

function withoutAborted(options: CallOptions | undefined): CallOptions | undefined {
  return options?.signal?.aborted === true ? undefined : options;
}

function whenAborted(options: CallOptions | undefined): Promise<void> {
  return new Promise((resolve) => options?.signal?.addEventListener("abort", () => resolve(), { once: true }));
}

async function requireKnown(platform: MemoryPlatform, name: string, toError: () => Error): Promise<void> {
  const names = [...platform.records.values()].map(({ ref }) => ref.name);
  if (!names.includes(name)) throw toError();
}
