import { isDeepStrictEqual } from "node:util";
import type { ListedPlugin, OpenedScaler } from "./plugin-opener.ts";

/** What a new configuration means for each scaler. */
export interface ScalerPlan {
  /** Opened anew, with the instance whose place they take, if there is one. */
  readonly open: readonly { readonly listed: ListedPlugin; readonly old: OpenedScaler | undefined }[];
  /** Go on with other options or defaults. */
  readonly reconfigure: readonly { readonly listed: ListedPlugin; readonly opened: OpenedScaler }[];
  /** Go on as they are. */
  readonly keep: readonly OpenedScaler[];
  readonly remove: readonly OpenedScaler[];
}

/** @param sameDefaults the policy of resources that say nothing themselves stays */
export function planScalers(
  running: readonly OpenedScaler[],
  wanted: readonly ListedPlugin[],
  sameDefaults: boolean,
): ScalerPlan {
  const plan = { open: [], reconfigure: [], keep: [], remove: [] } as {
    [Key in keyof ScalerPlan]: ScalerPlan[Key][number][];
  };
  for (const listed of wanted) {
    const old = running.find(({ id }) => id === listed.id);
    if (old === undefined || old.use !== listed.use) plan.open.push({ listed, old });
    else if (sameDefaults && isDeepStrictEqual(old.options, listed.options))
      plan.keep.push({ ...old, place: listed.place });
    else if (old.plugin.reconfigure === undefined) plan.open.push({ listed, old });
    else plan.reconfigure.push({ listed, opened: old });
  }
  plan.remove.push(...running.filter(({ id }) => !wanted.some((listed) => listed.id === id)));
  return plan;
}
