import { isScalerError, type LocalRef, type Milliseconds, type Target } from "@dormouse/core";
import type { Fleet } from "./open-fleet.ts";

/** From one look at the platform to the next, as the DLX has it for scalers with a watch. */
const askEveryMs: Milliseconds = 1_000;

/** While there is no candidate these alone are asked for so often. */
const resolveEveryMs = { first: 5, longest: 50, growth: 1.3 };

/** How often an awake resource's targets are asked for. */
const followEveryMs: Milliseconds = 30_000;

/** The calls that a DLX makes of a scaler, in its order and at its pace. */
export interface DlxCalls {
  /** Claims, and asks until there is a target. */
  wake(ref: LocalRef): Promise<readonly Target[]>;
  /** Asks for the targets of what is awake, for so long. */
  follow(refs: readonly LocalRef[], forMs: Milliseconds): Promise<void>;
}

/** A DLX without sockets: what it finds is not dialled. */
export function callAsDlx({ scaler, clock, onChange }: Fleet): DlxCalls {
  const changed = new Set<string>();
  onChange((change) => {
    if (change.kind === "set") changed.add(change.resource.ref.name);
  });
  return {
    async wake(ref) {
      await repeat(async () => {
        await scaler.getResource(ref);
        await scaler.setScale(ref, 1);
      });
      let askAt = 0;
      let resolveMs: Milliseconds = resolveEveryMs.first;
      for (;;) {
        if (clock.monotonic() >= askAt || changed.delete(ref.name)) {
          askAt = clock.monotonic() + askEveryMs;
          const asked = Promise.all([scaler.getResource(ref), scaler.resolveTargets(ref, undefined)]);
          const [, targets] = await asked.catch(() => [undefined, []] as const);
          if (targets.length > 0) return targets;
        }
        const found = await scaler.resolveTargets(ref, undefined).catch(() => []);
        if (found.length > 0) return found;
        await clock.sleep(resolveMs);
        resolveMs = Math.min(resolveMs * resolveEveryMs.growth, resolveEveryMs.longest);
      }
    },
    async follow(refs, forMs) {
      const endsAt = clock.monotonic() + forMs;
      await Promise.all(
        refs.map(async (ref, index) => {
          await clock.sleep((followEveryMs / refs.length) * index);
          while (clock.monotonic() < endsAt) {
            await scaler.resolveTargets(ref, undefined);
            await clock.sleep(followEveryMs);
          }
        }),
      );
    },
  };

  async function repeat(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isScalerError(error) || !error.retryable) throw error;
        await clock.sleep(Math.max(2_000, error.code === "SCALER_RATE_LIMITED" ? (error.retryAfterMs ?? 0) : 0));
      }
    }
  }
}
