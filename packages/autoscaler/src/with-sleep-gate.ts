import type { CatalogEntry, SleepPass } from "@dormouse/core";
import type { AutoscalerContext } from "./autoscaler-context.ts";
import { SleepEnd, toSleepEnd } from "./sleep-end.ts";

/**
 * Without compare-and-set: no wake is sent by this process while the act runs, nor until a write whose outcome is
 * unknown can have no effect any more. With it: just the act, without a pass.
 *
 * @throws SleepEnd `settling` while an earlier act has not ended
 */
export async function withSleepGate<Result>(
  { ref, scaler }: Pick<CatalogEntry, "ref" | "scaler">,
  { options }: AutoscalerContext,
  act: (pass: SleepPass | undefined) => Promise<Result>,
): Promise<Result> {
  if (scaler.capabilities.compareAndSet) return act(undefined);
  const pass = options.sleepGate.close(ref);
  if (pass === undefined) throw new SleepEnd("settling");
  try {
    const result = await act(pass);
    pass.done();
    return result;
  } catch (error) {
    const end = toSleepEnd(error);
    if (end.reason === "outcome-unknown") pass.unknown(scaler.capabilities.settleWithinMs);
    else pass.done();
    throw end;
  }
}
