import type { Capabilities, ResourceScaler, ScalerContext, ScalerPlugin } from "@dormouse/core";
import type { MemoryPlatform } from "../memory/memory-platform.ts";
import type { MemoryScaler } from "../memory/memory-scaler.ts";
import type { MemoryPlugin } from "../memory/memory-test.ts";

/** A plugin that is broken in one way, and in no other. */
export interface Mutant {
  /** Id of the one rule that it breaks. */
  readonly breaks: string;
  /** What it does wrong. */
  readonly how: string;
  /** Where the fault can show at all, beyond what the rule requires. */
  readonly shows?: (capabilities: Capabilities) => boolean;
  readonly plugin: (faithful: MemoryPlugin) => ScalerPlugin;
}

type Change = (
  scaler: MemoryScaler,
  platform: MemoryPlatform,
  context: ScalerContext,
) => Partial<ResourceScaler> | void;

/** A mutant whose scaler differs: `change` patches the platform's behaviour, or gives methods in place of the faithful ones. */
export function scalerMutant(breaks: string, how: string, change: Change): Mutant {
  const plugin = (faithful: MemoryPlugin): ScalerPlugin => ({
    ...faithful,
    async create(options, context) {
      const scaler = await faithful.create(options as Parameters<MemoryPlugin["create"]>[0], context);
      const members = change(scaler, scaler.platform, context) ?? {};
      return Object.defineProperties(Object.create(scaler), Object.getOwnPropertyDescriptors(members)) as MemoryScaler;
    },
  });
  return { breaks, how, plugin };
}

/** A mutant whose plugin value differs. */
export function pluginMutant(
  breaks: string,
  how: string,
  change: (faithful: MemoryPlugin) => Partial<ScalerPlugin>,
): Mutant {
  return { breaks, how, plugin: (faithful) => ({ ...(faithful as ScalerPlugin), ...change(faithful) }) };
}

/** A promise that never settles. */
export function never(): Promise<never> {
  return new Promise(() => {});
}
