import type { Proof } from "./proof.ts";
import { apiRestarted } from "./proofs/api-restarted.ts";
import { busyDirect } from "./proofs/busy-direct.ts";
import { byHand } from "./proofs/by-hand.ts";
import { cycles } from "./proofs/cycles.ts";
import { direct } from "./proofs/direct.ts";
import { documented } from "./proofs/documented.ts";
import { dlxKilled } from "./proofs/dlx-killed.ts";
import { gitops } from "./proofs/gitops.ts";
import { hpa } from "./proofs/hpa.ts";
import { leaderKilled } from "./proofs/leader-killed.ts";
import { noSource } from "./proofs/no-source.ts";
import { rollouts } from "./proofs/rollouts.ts";
import { uninstall } from "./proofs/uninstall.ts";
import { wakeTime } from "./proofs/wake-time.ts";

/** All proofs, in the order of the table. Those that may run beside others do so first; the last one removes Dormouse. */
export const proofs: readonly Proof[] = [
  cycles,
  noSource,
  busyDirect,
  byHand,
  hpa,
  gitops,
  wakeTime,
  direct,
  leaderKilled,
  dlxKilled,
  apiRestarted,
  rollouts,
  uninstall,
  documented,
];
