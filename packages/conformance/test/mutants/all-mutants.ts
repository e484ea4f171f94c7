import { callMutants } from "./call-mutants.ts";
import { compareAndSetMutants } from "./compare-and-set-mutants.ts";
import { listMutants } from "./list-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { raceMutants } from "./race-mutants.ts";
import { routingMutants } from "./routing-mutants.ts";
import { scaleMutants } from "./scale-mutants.ts";
import { shapeMutants } from "./shape-mutants.ts";
import { targetMutants } from "./target-mutants.ts";
import { versionMutants } from "./version-mutants.ts";
import { watchMutants } from "./watch-mutants.ts";

/** At least one mutant for each rule. */
export const allMutants: readonly Mutant[] = [
  ...shapeMutants,
  ...listMutants,
  ...scaleMutants,
  ...targetMutants,
  ...versionMutants,
  ...callMutants,
  ...raceMutants,
  ...compareAndSetMutants,
  ...watchMutants,
  ...routingMutants,
];
