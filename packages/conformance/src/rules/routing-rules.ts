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
];

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
