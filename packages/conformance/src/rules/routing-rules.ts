import { showRef } from "../call-bounds.ts";
import type { Rule } from "../rule.ts";
import type { Stage } from "../stage.ts";
import { expect } from "../unmet.ts";

/** `routeTraffic`, for scalers that route. */
export const routingRules: readonly Rule[] = [
  {
    id: "routing/takes-both-ways",
    title: "Traffic can be sent to the DLX and back to the resource.",
    why: "A resource that sleeps is reached through the DLX only.",
    mend: "implement both ways",
    requires: ["routing"],
    buildsOn: ["shape/methods", "scale/becomes-ready"],
    async check(stage) {
      await route(stage, "dlx", await stage.scale(0));
      await route(stage, "resource", await stage.awaken());
    },
  },
  {
    id: "routing/can-be-repeated",
    title: "The same call a second time is accepted.",
    why: "The answer to the first one may have been lost.",
    mend: "refuse only a version that is older than the last accepted one, and accept that one again",
    requires: ["routing"],
    buildsOn: ["shape/methods"],
    async check(stage) {
      const version = await stage.scale(0);
      await route(stage, "dlx", version);
      await route(stage, "dlx", version);
    },
  },
  {
    id: "routing/refuses-an-older-version",
    title: "Once a newer version has routed, an older one rejects with SCALER_CONFLICT.",
    why: "A late restore of an old wake would send traffic to a resource that has been put to sleep since.",
    mend: "store the version with the route itself, and compare in the same write",
    requires: ["routing"],
    buildsOn: ["shape/methods", "version/moves-on-new-count"],
    async check(stage) {
      const { older } = await twoVersions(stage);
      const code = await stage.codeOf(async () => route(stage, "resource", older));
      expect(
        code === "SCALER_CONFLICT",
        "routeTraffic under an older version to reject with SCALER_CONFLICT",
        code ?? "it was accepted",
      );
    },
  },
  {
    id: "routing/keeps-the-version",
    title: "Routing moves no version.",
    why: "A sleep stops under the version of its mark, and routes in between.",
    mend: "write routes to another object than the one that the version comes from, or leave them out of it",
    requires: ["routing"],
    buildsOn: ["shape/methods"],
    async check(stage) {
      const before = await stage.scale(0).then(async () => (await stage.facts()).version);
      await route(stage, "dlx", before);
      const after = (await stage.facts()).version;
      expect(after === before, `version ${before} after routing`, after);
    },
  },
  {
    id: "routing/of-nothing",
    title: "routeTraffic of what is not there rejects with SCALER_NOT_FOUND.",
    why: "It is forgotten then, instead of tried again and again.",
    mend: "translate the platform's not-found into SCALER_NOT_FOUND",
    requires: ["routing"],
    buildsOn: ["shape/methods"],
    async check(stage) {
      const version = await stage.scale(0);
      const call = async (): Promise<unknown> => stage.scaler.routeTraffic(stage.unknownRef, "dlx", { version });
      const code = await stage.codeOf(call);
      expect(
        code === "SCALER_NOT_FOUND",
        "routeTraffic of what is not there to reject with SCALER_NOT_FOUND",
        code ?? "it resolved",
      );
    },
  },
  {
    id: "routing/moves-traffic",
    title: "After routeTraffic the platform sends the traffic there.",
    why: "The next request reaches nobody otherwise.",
    mend: "resolve once the platform has taken the route in",
    requires: ["routing"],
    needs: ["routedTo"],
    buildsOn: ["routing/takes-both-ways"],
    async check(stage) {
      await route(stage, "dlx", await stage.scale(0));
      await untilRoutedTo(stage, "dlx");
      await route(stage, "resource", await stage.awaken());
      await untilRoutedTo(stage, "resource");
    },
  },
  {
    id: "routing/refusal-changes-nothing",
    title: "A refused routing leaves the route as it was.",
    why: "Traffic would go to a resource that sleeps.",
    mend: "compare before anything is written, on the object that is written",
    requires: ["routing"],
    needs: ["routedTo"],
    buildsOn: ["shape/methods", "version/moves-on-new-count", "routing/moves-traffic"],
    async check(stage) {
      const { older } = await twoVersions(stage);
      await stage.codeOf(async () => route(stage, "resource", older));
      await stage.whileSettling(async () => {
        const to = await stage.routedTo();
        expect(to === "dlx", "traffic still to go to the DLX after the refused call", to);
      });
    },
  },
  {
    id: "routing/makes-before-it-breaks",
    title: 'Traffic goes back to the resource only once it is ready: "resource" makes before it breaks.',
    why: "In between, requests would be refused.",
    mend: "wait until the resource's own instances are in the platform's traffic before the DLX leaves it, or reject as retryable",
    requires: ["routing"],
    needs: ["routedTo", "holdStart"],
    buildsOn: ["shape/methods", "routing/moves-traffic", "scale/resolves-when-accepted"],
    async check(stage) {
      await route(stage, "dlx", await stage.scale(0));
      await untilRoutedTo(stage, "dlx");
      const goOn = await stage.disturb("holdStart");
      const version = await stage.scale(1);
      const early = stage.codeOf(async () => route(stage, "resource", version));
      await stage.whileSettling(async () => {
        const to = await stage.routedTo();
        expect(to === "dlx", "traffic to go to the DLX while the start is held up", to);
      });
      await goOn();
      await stage.untilFacts("1 ready", ({ ready }) => ready === 1);
      if ((await early) !== undefined) await route(stage, "resource", version);
      await untilRoutedTo(stage, "resource");
    },
  },
  {
    id: "routing/shows-where-traffic-goes",
    title: "Where a resource says who receives its traffic, that is who receives it.",
    why: "A route that is shown to be right is left alone.",
    mend: "read routedTo from what the platform routes by, or leave it out",
    requires: ["routing"],
    needs: ["routedTo"],
    buildsOn: ["shape/methods", "routing/moves-traffic"],
    async check(stage) {
      await route(stage, "dlx", await stage.scale(0));
      await untilRoutedTo(stage, "dlx");
      await untilShown(stage, "dlx");
      await route(stage, "resource", await stage.awaken());
      await untilRoutedTo(stage, "resource");
      await untilShown(stage, "resource");
    },
  },
  {
    id: "routing/shows-no-refused-route",
    title: "A refused routing does not show.",
    why: "What sleeps would be taken for restored, and diverted again and again.",
    mend: "read routedTo from the platform, not from what routeTraffic was last asked for",
    requires: ["routing"],
    needs: ["routedTo"],
    buildsOn: ["shape/methods", "routing/refusal-changes-nothing", "routing/shows-where-traffic-goes"],
    async check(stage) {
      const { older } = await twoVersions(stage);
      await untilShown(stage, "dlx");
      await stage.codeOf(async () => route(stage, "resource", older));
      await stage.whileSettling(async () => {
        const { routedTo } = await stage.facts();
        expect(routedTo !== "resource", 'routedTo to be "dlx" or left out after the refused call', routedTo);
      });
    },
  },
  {
    id: "routing/shows-in-a-watch",
    title: "A watch shows where traffic goes now.",
    why: "Who leads looks at what a watch has told, and mends what is wrong.",
    mend: "announce a resource when its route changes, whoever changed it",
    requires: ["routing", "watch"],
    needs: ["routedTo"],
    buildsOn: [
      "shape/methods",
      "watch/shows-a-new-count",
      "watch/shows-readiness",
      "routing/can-be-repeated",
      "routing/shows-where-traffic-goes",
    ],
    async check(stage) {
      const version = await stage.awaken();
      await route(stage, "resource", version);
      await untilShown(stage, "resource");
      const reader = stage.watch();
      await reader.untilSnapshot();
      await route(stage, "dlx", version);
      await untilRoutedTo(stage, "dlx");
      await untilShown(stage, "dlx");
      const { routedTo } = await stage.facts();
      await reader.untilView(
        `routedTo ${String(routedTo)}`,
        (view) => view.get(showRef(stage.ref))?.routedTo === routedTo,
      );
    },
  },
  {
    id: "routing/shows-nothing-without-it",
    title: "A scaler that does not route says nothing of routes.",
    why: "A DLX would listen, and a host mend, for traffic that cannot be moved.",
    mend: "leave out routedTo and ports[].listen, or declare routing",
    async check(stage) {
      if (stage.declares("routing")) return;
      const { routedTo, ports } = await stage.facts();
      expect(routedTo === undefined, "routedTo to be left out", routedTo);
      const listen = ports.find((port) => port.listen !== undefined)?.listen;
      expect(listen === undefined, "ports[].listen to be left out", listen);
    },
  },
];

/** Until a resource says so, or says nothing. */
async function untilShown(stage: Stage, wanted: "dlx" | "resource"): Promise<void> {
  const what = `routedTo "${wanted}", or none`;
  await stage.untilFacts(what, ({ routedTo }) => routedTo === undefined || routedTo === wanted);
}

async function route(stage: Stage, to: "dlx" | "resource", version: string): Promise<void> {
  await stage.scaler.routeTraffic(stage.ref, to, { version });
}

/** Routes to the DLX under the newer of two versions. */
async function twoVersions(stage: Stage): Promise<{ readonly older: string }> {
  await stage.scale(1);
  const older = (await stage.facts()).version;
  await stage.scale(0);
  await route(stage, "dlx", (await stage.facts()).version);
  return { older };
}

async function untilRoutedTo(stage: Stage, wanted: "dlx" | "resource"): Promise<void> {
  const look = async (): Promise<string | undefined> => stage.routedTo();
  await stage.until(`traffic to go to ${wanted === "dlx" ? "the DLX" : "the resource"}`, look, (to) => to === wanted);
}
