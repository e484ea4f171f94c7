import type { ScalerContext } from "@dormouse/core";
import { showRef } from "../call-bounds.ts";
import { parseOptions } from "../open-stage.ts";
import type { Rule } from "../rule.ts";
import type { Stage } from "../stage.ts";
import { expect, show } from "../unmet.ts";

/** New options in a running instance, for plugins that have `reconfigure`. */
export const reconfigureRules: readonly Rule[] = [
  {
    id: "reconfigure/disturbs-nothing",
    title: "New options that say the same leave what runs alone.",
    why: "Configuration is read again at every change of the file, under load.",
    mend: "compare, and touch only what differs",
    requires: ["reconfigure"],
    buildsOn: ["targets/reachable-in-the-end", "targets/ids-stay"],
    async check(stage) {
      await stage.scale(1);
      const ids = (await stage.untilReached()).map(({ id }) => id);
      const { version } = await stage.facts();
      await reconfigure(stage, stage.platform.options);
      await stage.untilSettled();
      const after = { version: (await stage.facts()).version, ids: (await stage.targets()).map(({ id }) => id) };
      expect(show(after) === show({ version, ids }), show({ version, ids }), after);
    },
  },
  {
    id: "reconfigure/takes-new-defaults",
    title: "New defaults show in the policy of a resource that says nothing itself.",
    why: "They are part of what was configured anew.",
    mend: "parse policies again from the context of reconfigure",
    requires: ["reconfigure"],
    async check(stage) {
      const { idleAfter } = (await stage.facts()).policy;
      const defaults = { ...stage.context.defaults, wakeTimeout: stage.context.defaults.wakeTimeout + 1 };
      await reconfigure(stage, stage.platform.options, { ...stage.context, defaults });
      const { policy } = await stage.facts();
      expect(
        policy.wakeTimeout === defaults.wakeTimeout,
        `wakeTimeout ${String(defaults.wakeTimeout)}, the new default`,
        policy.wakeTimeout,
      );
      expect(policy.idleAfter === idleAfter, `idleAfter ${String(idleAfter)} as before`, policy.idleAfter);
    },
  },
  {
    id: "reconfigure/drops-from-the-list",
    title: "A resource that the new options no longer have leaves the list.",
    why: "Its routes go with it.",
    mend: "list what the options have now",
    requires: ["reconfigure"],
    needs: ["other", "optionsWithoutOther"],
    async check(stage) {
      await reconfigure(stage, stage.platform.optionsWithoutOther);
      const keys = (await stage.scaler.listResources()).map(({ ref }) => showRef(ref));
      expect(!keys.includes(showRef(stage.other)), `no ${showRef(stage.other)} in the list`, keys);
    },
  },
  {
    id: "reconfigure/dropped-can-be-stopped",
    title: "A resource that the new options no longer have can still be scaled to 0 while it runs.",
    why: "The host finishes its requests first, and stops it then.",
    mend: "keep its record until its instances have ended",
    requires: ["reconfigure"],
    needs: ["other", "optionsWithoutOther"],
    buildsOn: ["scale/ends-at-zero"],
    async check(stage) {
      await stage.awaken(1, stage.other);
      await reconfigure(stage, stage.platform.optionsWithoutOther);
      await stage.scale(0, stage.other);
      const look = async (): Promise<unknown> => stage.scaler.getResource(stage.other);
      await stage.until(
        `${showRef(stage.other)} to be gone or have 0 ready`,
        look,
        (seen) => seen === undefined || Reflect.get(Object(seen), "ready") === 0,
      );
    },
  },
];

async function reconfigure(stage: Stage, raw: unknown, context: ScalerContext = stage.context): Promise<void> {
  const options = await parseOptions(stage.plugin, raw);
  await stage.run("reconfigure(…)", async () => stage.plugin.reconfigure?.(stage.instance, options, context));
}
