import { memoryPlugin } from "@dormouse/core/testing";
import type { ScalerPlugin } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { planScalers } from "./plan-scalers.ts";
import type { ListedPlugin, OpenedScaler } from "./plugin-opener.ts";

const plain = memoryPlugin as unknown as ScalerPlugin;
const reconfigurable: ScalerPlugin = { ...plain, reconfigure: async () => {} };

function listed(id: string, options: unknown = {}, use = "x"): ListedPlugin {
  return { id, use, options, place: `scalers[${id}]` };
}

function opened(id: string, plugin = plain, options: unknown = {}): OpenedScaler {
  return { ...listed(id, options), plugin, scaler: {} as OpenedScaler["scaler"] };
}

function idsOf(plan: ReturnType<typeof planScalers>): object {
  return {
    keep: plan.keep.map(({ id }) => id),
    reconfigure: plan.reconfigure.map(({ listed: { id } }) => id),
    open: plan.open.map(({ listed: { id }, old }) => `${id}${old === undefined ? "" : " for the old"}`),
    remove: plan.remove.map(({ id }) => id),
  };
}

describe("planScalers", () => {
  it("keeps what is the same, however its options are ordered", () => {
    const plan = planScalers([opened("a", plain, { x: 1, y: [2] })], [listed("a", { y: [2], x: 1 })], true);
    expect(idsOf(plan)).toEqual({ keep: ["a"], reconfigure: [], open: [], remove: [] });
  });

  it("reconfigures what can be, and opens the rest anew", () => {
    const plan = planScalers(
      [opened("a", reconfigurable), opened("b")],
      [listed("a", { x: 1 }), listed("b", { x: 1 })],
      true,
    );
    expect(idsOf(plan)).toEqual({ keep: [], reconfigure: ["a"], open: ["b for the old"], remove: [] });
  });

  it("takes other defaults for other options", () => {
    const plan = planScalers([opened("a", reconfigurable), opened("b")], [listed("a"), listed("b")], false);
    expect(idsOf(plan)).toEqual({ keep: [], reconfigure: ["a"], open: ["b for the old"], remove: [] });
  });

  it("opens another plugin under the same id, whatever it can", () => {
    const plan = planScalers([opened("a", reconfigurable)], [listed("a", {}, "y")], true);
    expect(idsOf(plan)).toEqual({ keep: [], reconfigure: [], open: ["a for the old"], remove: [] });
  });

  it("adds and removes", () => {
    const plan = planScalers([opened("a")], [listed("b")], true);
    expect(idsOf(plan)).toEqual({ keep: [], reconfigure: [], open: ["b"], remove: ["a"] });
  });
});
