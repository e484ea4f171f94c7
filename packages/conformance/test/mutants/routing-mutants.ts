import { type LocalRef, type Resource, type RouteTrafficOptions, ScalerError } from "@dormouse/core";
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
  scalerMutant("routing/shows-where-traffic-goes", "shows the last divert for ever", (_, platform) => {
    const faithful = platform.toResource.bind(platform);
    const diverted = new Set<string>();
    platform.toResource = (record) => {
      const resource = faithful(record);
      if (resource.routedTo === undefined) return resource;
      if (record.route === "dlx") diverted.add(record.ref.name);
      return { ...resource, routedTo: diverted.has(record.ref.name) ? "dlx" : "resource" };
    };
  }),
  scalerMutant("routing/shows-no-refused-route", "shows what it was asked for last", (scaler, platform) => {
    const faithful = platform.toResource.bind(platform);
    const asked = new Map<string, "dlx" | "resource">();
    platform.toResource = (record) => {
      const resource = faithful(record);
      return resource.routedTo === undefined
        ? resource
        : { ...resource, routedTo: asked.get(record.ref.name) ?? resource.routedTo };
    };
    return {
      async routeTraffic(ref, to, options) {
        asked.set(ref.name, to);
        await scaler.routeTraffic(ref, to, options);
      },
    };
  }),
  scalerMutant("routing/shows-in-a-watch", "has watches that show the route of their snapshot", (scaler) => ({
    async *watchResources(options) {
      const routes = new Map<string, Resource["routedTo"]>();
      const asAtFirst = (resource: Resource): Resource => {
        if (!routes.has(resource.ref.name)) routes.set(resource.ref.name, resource.routedTo);
        const routedTo = routes.get(resource.ref.name);
        return routedTo === undefined ? resource : { ...resource, routedTo };
      };
      for await (const change of scaler.watchResources(options)) {
        if (change.kind === "snapshot") yield { ...change, resources: change.resources.map(asAtFirst) };
        else yield change.kind === "set" ? { ...change, resource: asAtFirst(change.resource) } : change;
      }
    },
  })),
  {
    ...scalerMutant("routing/shows-nothing-without-it", "shows a route that nobody can change", (_, platform) => {
      const faithful = platform.toResource.bind(platform);
      platform.toResource = (record) => ({ routedTo: "resource", ...faithful(record) });
    }),
    shows: ({ routing }) => !routing,
  },
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
