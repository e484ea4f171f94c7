import { openScaler } from "@dormouse/core";
import type { Rule } from "../rule.ts";
import { expect } from "../unmet.ts";

/** The scaler as hosts have it. */
export const guardRules: readonly Rule[] = [
  {
    id: "guard/serves-behind-it",
    title: "Behind the host's guard the scaler opens, lists, wakes, sleeps and closes.",
    why: "Nobody ever calls a plugin without it; it refuses what is not of the contract's form.",
    mend: "read the message: the guard names the member that it refuses",
    buildsOn: [
      "shape/options-schema",
      "shape/capabilities",
      "shape/methods",
      "lifecycle/dispose-resolves",
      "list/no-resource-twice",
      "list/refs",
      "list/counts",
      "list/ports",
      "list/policy",
      "list/get-answers-what-was-asked",
      "version/is-text",
      "scale/becomes-ready",
      "targets/form",
    ],
    async check(stage) {
      const { plugin, platform, context, ref, instance } = stage;
      await stage.dispose();
      const scaler = await stage.run("openScaler", async () => openScaler(plugin, platform.options, context));
      try {
        await stage.run("listResources behind the guard", async () => scaler.listResources());
        await stage.run("setScale(1) behind the guard", async () => scaler.setScale(ref, 1));
        const look = async (): Promise<number | undefined> => (await scaler.getResource(ref))?.ready;
        await stage.until("1 ready behind the guard", look, (ready) => ready === 1);
        await stage.run("resolveTargets behind the guard", async () => scaler.resolveTargets(ref, undefined));
        await stage.run("setScale(0) behind the guard", async () => scaler.setScale(ref, 0));
        const { replicas } = scaler.capabilities;
        expect(replicas === instance.capabilities.replicas, "the guard to see the capabilities", scaler.capabilities);
      } finally {
        await stage.run("dispose behind the guard", async () => scaler[Symbol.asyncDispose]());
      }
    },
  },
];
