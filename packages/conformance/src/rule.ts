import type { Stage } from "./stage.ts";
import type { Hook } from "./test-platform.ts";

/** What a plugin declares, and what rules are chosen by. `many`: replicas; `reconfigure`: the plugin has that function. */
export type Declared = "many" | "watch" | "routing" | "compareAndSet" | "reconfigure";

/** What is known of a rule without running it. */
export interface RuleFacts {
  /** Group and name: `scale/zero-keeps-wake-replicas`. Stable. */
  readonly id: string;
  /** What it proves, as a sentence. */
  readonly title: string;
  /** Why that matters. */
  readonly why: string;
  /** What a plugin that breaks it usually has to change. */
  readonly mend: string;
  /** Judged only where the plugin declares this. */
  readonly requires?: readonly Declared[];
  /** Judged only where the harness has these. */
  readonly needs?: readonly Hook[];
  /** Not judged where one of these has failed: it would fail for their reason. */
  readonly buildsOn?: readonly string[];
}

/** One rule of the contract. */
export interface Rule extends RuleFacts {
  /** Runs from a state where every resource of the harness is asleep. Throws `Unmet`, or what the plugin threw. */
  check(stage: Stage): Promise<void>;
}
