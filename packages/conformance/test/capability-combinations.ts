import type { Capabilities } from "@dormouse/core";
import { capabilitiesWith } from "./memory/memory-test.ts";

type Row = readonly [isMany: boolean, watch: boolean, routing: boolean, compareAndSet: boolean];

const yesOrNo = [true, false] as const;

/** Every combination of what can be declared. */
export const allCombinations: readonly Capabilities[] = yesOrNo.flatMap((isMany) =>
  yesOrNo.flatMap((watch) =>
    yesOrNo.flatMap((routing) =>
      yesOrNo.map((compareAndSet) => toCapabilities([isMany, watch, routing, compareAndSet])),
    ),
  ),
);

/** As few combinations as have each pair of declarations both, either and neither. */
export const pairwiseCombinations: readonly Capabilities[] = (
  [
    [true, true, true, true],
    [true, false, false, false],
    [false, true, false, false],
    [false, false, true, false],
    [false, false, false, true],
  ] as const
).map(toCapabilities);

/** A combination as test names say it. */
export function nameOf({ replicas, watch, routing, compareAndSet }: Capabilities): string {
  const flags = Object.entries({ watch, routing, compareAndSet }).filter(([, isDeclared]) => isDeclared);
  return [`replicas ${replicas}`, ...flags.map(([name]) => name)].join(", ");
}

function toCapabilities([isMany, watch, routing, compareAndSet]: Row): Capabilities {
  return capabilitiesWith({ replicas: isMany ? "many" : "one", watch, routing, compareAndSet });
}
