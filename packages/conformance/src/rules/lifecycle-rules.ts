import type { Rule } from "../rule.ts";
import { defaultPromptlyMs } from "../test-platform.ts";
import { expect } from "../unmet.ts";

/** From create to dispose. */
export const lifecycleRules: readonly Rule[] = [
  {
    id: "lifecycle/create-wakes-nothing",
    title: "Opening an instance leaves a resource that is asleep alone.",
    why: "A host that restarts must not wake everything it manages.",
    mend: "take up in create what the platform already runs, and start nothing",
    async check(stage) {
      await stage.dispose();
      const scaler = await stage.openInstance();
      try {
        const resource = await scaler.getResource(stage.ref);
        expect(resource?.desired === 0, "desired 0 after the scaler was opened again", resource?.desired);
      } finally {
        await scaler[Symbol.asyncDispose]();
      }
    },
  },
  {
    id: "lifecycle/dispose-resolves",
    title: "Disposing resolves, also while a resource is starting.",
    why: "A host that stops waits for it, and is killed in the end.",
    mend: "abort in dispose what is under way instead of waiting for it, and let no failure out",
    async check(stage) {
      await stage.scale(1);
      await stage.dispose();
    },
  },
  {
    id: "lifecycle/dispose-ends-calls",
    title: "Calls that run while the scaler is disposed come to an end.",
    why: "Whoever awaits them would wait for ever.",
    mend: "reject pending calls in dispose with SCALER_DISPOSED, or let them end by themselves",
    async check(stage) {
      const { scaler, ref } = stage;
      const calls = [scaler.listResources(), scaler.getResource(ref), scaler.resolveTargets(ref, undefined)];
      const settled = Promise.all(calls.map((call, index) => stage.outcomeOf(nameOf(index), async () => call)));
      await Promise.all([settled, stage.dispose()]);
    },
  },
  {
    id: "lifecycle/dispose-leaves-no-timer",
    title: "A disposed scaler leaves no timer on the host's clock.",
    why: "Each one keeps the instance in memory, and may act on resources that another instance has taken over.",
    mend: "cancel every timer in dispose, and abort every wait",
    buildsOn: ["lifecycle/dispose-resolves"],
    async check(stage) {
      await stage.scale(1);
      await stage.dispose();
      const look = (): Promise<number> => Promise.resolve(stage.pluginTimers.pending);
      await stage.until("no timer to be left after dispose", look, (pending) => pending === 0, defaultPromptlyMs);
    },
  },
];

function nameOf(index: number): string {
  return `${["listResources", "getResource", "resolveTargets"][index] ?? "a call"} to settle while the scaler is disposed`;
}
