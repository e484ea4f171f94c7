import { isScalerError } from "@dormouse/core";
import { showRef } from "../call-bounds.ts";
import type { Rule } from "../rule.ts";
import type { Stage } from "../stage.ts";
import { expect } from "../unmet.ts";

/** What calls reject with. */
export const errorRules: readonly Rule[] = [
  {
    id: "errors/scaling-nothing",
    title: "setScale of what is not there rejects with SCALER_NOT_FOUND.",
    why: "Held requests of a deleted resource are answered at once, and its route goes.",
    mend: "translate the platform's not-found into SCALER_NOT_FOUND",
    async check(stage) {
      const code = await stage.codeOf(async () => stage.scale(1, stage.unknownRef));
      expectNotFound(stage, "setScale", code);
    },
  },
  {
    id: "errors/targets-of-nothing",
    title: "resolveTargets of what is not there rejects with SCALER_NOT_FOUND.",
    why: "An empty list would mean that it is about to start, and the request would wait in vain.",
    mend: "translate the platform's not-found into SCALER_NOT_FOUND",
    async check(stage) {
      const code = await stage.codeOf(async () => stage.targets(stage.unknownRef));
      expectNotFound(stage, "resolveTargets", code);
    },
  },
  {
    id: "errors/are-scaler-errors",
    title: "What a call rejects with is a ScalerError with a code of the table.",
    why: "Hosts answer, retry and report by the code; anything else counts as SCALER_INTERNAL.",
    mend: "throw ScalerError of @dormouse/core, made in the one file that translates the platform's errors",
    buildsOn: ["errors/scaling-nothing", "errors/targets-of-nothing"],
    async check(stage) {
      const calls = {
        setScale: async () => stage.scale(1, stage.unknownRef),
        resolveTargets: async () => stage.targets(stage.unknownRef),
      };
      for (const [name, call] of Object.entries(calls)) {
        const error = await stage.rejectionOf(`${name} of what is not there`, call);
        expect(isScalerError(error), `${name} to reject with a ScalerError`, error);
      }
    },
  },
  {
    id: "errors/outage-is-no-answer",
    title: "While the platform is out of reach no call resolves.",
    why: "An empty list would take every route away; an accepted stop that never was would be believed.",
    mend: "let the failure through; never answer from a cache, or with an empty list",
    needs: ["cutPlatform"],
    async check(stage) {
      await stage.disturb("cutPlatform");
      for (const [name, call] of callsOf(stage))
        await stage.rejectionOf(`${name} while the platform is out of reach`, call);
    },
  },
  {
    id: "errors/outage-is-retryable",
    title: "While the platform is out of reach calls reject with SCALER_UNAVAILABLE or SCALER_TIMEOUT.",
    why: "The outcome is unknown, and the same call may succeed later; hosts try again only then.",
    mend: "translate refused, reset and timed-out connections into these codes",
    needs: ["cutPlatform"],
    buildsOn: ["errors/outage-is-no-answer"],
    async check(stage) {
      await stage.disturb("cutPlatform");
      for (const [name, call] of callsOf(stage)) {
        const code = await stage.codeOf(call);
        expect(
          code === "SCALER_UNAVAILABLE" || code === "SCALER_TIMEOUT",
          `${name} to reject with SCALER_UNAVAILABLE or SCALER_TIMEOUT`,
          code ?? "it resolved",
        );
      }
    },
  },
  {
    id: "errors/outage-passes",
    title: "Once the platform is back calls work again, with the same instance.",
    why: "Nobody restarts the host after every outage.",
    mend: "keep no failed connection, promise or answer",
    needs: ["cutPlatform"],
    async check(stage) {
      const mend = await stage.disturb("cutPlatform");
      for (const [, call] of callsOf(stage)) await stage.codeOf(call);
      await mend();
      for (const [name, call] of callsOf(stage)) {
        const look = async (): Promise<string> => (await stage.codeOf(call)) ?? "works";
        await stage.until(`${name} to work again after the outage`, look, (seen) => seen === "works");
      }
    },
  },
];

function expectNotFound(stage: Stage, call: string, code: string | undefined): void {
  const what = `${call} of ${showRef(stage.unknownRef)} to reject with SCALER_NOT_FOUND`;
  expect(code === "SCALER_NOT_FOUND", what, code ?? "it resolved");
}

function callsOf(stage: Stage): readonly (readonly [string, () => Promise<unknown>])[] {
  return [
    ["listResources", async () => stage.scaler.listResources()],
    ["getResource", async () => stage.scaler.getResource(stage.ref)],
    ["resolveTargets", async () => stage.targets()],
    ["setScale", async () => stage.scale(0)],
  ];
}
