import { type LocalRef, type RouteTrafficOptions, ScalerError } from "@dormouse/core";
import type { MemoryPlatform } from "../memory/memory-platform.ts";
import type { MemoryScaler } from "../memory/memory-scaler.ts";
import { type Mutant, scalerMutant } from "./mutant.ts";

export const routingMutants: readonly Mutant[] = [
  routing("routing/takes-both-ways", "knows no way back", async ({ scaler, platform, ref, to, options }) => {
    const isNew = Number(options.version) >= platform.find(ref).routeEpoch;
    if (to === "resource" && isNew) throw new ScalerError("SCALER_UNSUPPORTED", "not implemented");
    await scaler.routeTraffic(ref, to, options);
  }),
  routing(
    "routing/can-be-repeated",
    "refuses the version that it has",
    async ({ scaler, platform, ref, to, options }) => {
      if (Number(options.version) === platform.find(ref).routeEpoch)
        throw new ScalerError("SCALER_CONFLICT", "not newer");
      await scaler.routeTraffic(ref, to, options);
    },
  ),
  routing("routing/refuses-an-older-version", "gives a conflict another code", async ({ scaler, ref, to, options }) => {
    try {
      await scaler.routeTraffic(ref, to, options);
    } catch (cause) {
      const isConflict = cause instanceof ScalerError && cause.code === "SCALER_CONFLICT";
      throw isConflict ? new ScalerError("SCALER_INTERNAL", "HTTP 409", { cause }) : cause;
    }
  }),
  routing(
    "routing/refusal-changes-nothing",
    "compares after it has written",
    async ({ scaler, platform, ref, to, options }) => {
      if (Number(options.version) < platform.find(ref).routeEpoch) platform.find(ref).route = to;
      await scaler.routeTraffic(ref, to, options);
    },
  ),
  routing(
    "routing/keeps-the-version",
    "writes the route into what is versioned",
    async ({ scaler, platform, ref, to, options }) => {
      await scaler.routeTraffic(ref, to, options);
      platform.find(ref).epoch += 1;
    },
  ),
  routing("routing/of-nothing", "routes what is not there", async ({ scaler, platform, ref, to, options }) => {
    if (platform.records.has(`${ref.namespace}/${ref.name}`)) await scaler.routeTraffic(ref, to, options);
  }),
  routing(
    "routing/moves-traffic",
    "accepts a route and changes nothing",
    async ({ scaler, platform, ref, to, options }) => {
      await scaler.routeTraffic(ref, to, options);
      platform.find(ref).route = "resource";
    },
  ),
  routing(
    "routing/makes-before-it-breaks",
    "switches before anything is ready",
    async ({ scaler, platform, ref, to, options }) => {
      const record = platform.records.get(`${ref.namespace}/${ref.name}`);
      if (record !== undefined && Number(options.version) >= record.routeEpoch) record.route = to;
      await scaler.routeTraffic(ref, to, options);
    },
  ),
];

interface RouteCall {
  readonly scaler: MemoryScaler;
  readonly platform: MemoryPlatform;
  readonly ref: LocalRef;
  readonly to: "dlx" | "resource";
  readonly options: RouteTrafficOptions;
}

function routing(breaks: string, how: string, route: (call: RouteCall) => Promise<void>): Mutant {
  return scalerMutant(breaks, how, (scaler, platform) => ({
    routeTraffic: async (ref, to, options) => route({ scaler, platform, ref, to, options }),
  }));
}
