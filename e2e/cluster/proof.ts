import type { SeededRandom } from "../harness/seeded-random.ts";
import type { ClusterStage, DemoPlan } from "./stage/cluster-stage.ts";
import type { Demo } from "./stage/demo.ts";
import type { Tally } from "./tally.ts";

/** What a proof works with. */
export interface Scene {
  readonly stage: ClusterStage;
  /** One for each of its plans. */
  readonly demos: readonly Demo[];
  /** The first of them. */
  readonly demo: Demo;
  /** What the proof finds. */
  readonly tally: Tally;
  /** Fewer rounds. */
  readonly isQuick: boolean;
  readonly random: SeededRandom;
}

/** What one proof found. */
export interface Finding {
  /** Cycles, strikes, or what else was repeated. */
  readonly rounds: number;
  readonly requests: number;
  /** Requests that did not end with 200 and their own id though they should have. */
  readonly lost: number;
  /** Requests that the service executed more than once though it should not have. */
  readonly doubled: number;
  /** Figures and lines for whoever reads the result. */
  readonly remarks: readonly string[];
  /** What was not as claimed; empty: it holds. */
  readonly problems: readonly string[];
}

/** One claim about Dormouse in a cluster, tried out. */
export interface Proof {
  /** For `--only`. */
  readonly name: string;
  /** What is claimed, in the table. */
  readonly title: string;
  /** Left out: it may run beside others. Alone: it stops parts of the cluster, or measures. */
  readonly isAlone?: boolean;
  /** What the cluster lacks for it. */
  readonly whyNot?: (stage: ClusterStage) => string | undefined;
  /** The demos that are made for it; one at least. */
  readonly plans: readonly DemoPlan[];
  /** Rejects where it could not go on, which counts as a problem. */
  run(scene: Scene): Promise<void>;
}
