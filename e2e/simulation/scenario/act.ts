import type { SleepStep } from "@dormouse/autoscaler";
import type { Milliseconds } from "@dormouse/core";
import type { MetricsFault } from "../parts/simulated-metrics.ts";
import type { WakeMoment } from "../parts/dlx-process.ts";
import type { RequestPlan } from "../world/request-ledger.ts";

/** A moment of the protocol for the so-manieth time since a time, or a while after it. */
export interface Occasion {
  readonly since: Milliseconds;
  readonly nth: number;
  readonly afterMs?: Milliseconds;
}

/** When an act happens: at a time, or as a sleep or a wake comes to a moment. */
export type Cue =
  | { readonly at: Milliseconds }
  | (Occasion & { readonly sleep: SleepStep })
  | (Occasion & { readonly wake: WakeMoment });

/** What somebody does, or what befalls a part. `which` counts through those that there are. */
export type Deed =
  | { readonly do: "request"; readonly plans: readonly RequestPlan[]; readonly which: number }
  | { readonly do: "kill-dlx" | "drain-dlx" | "join-dlx" | "kill-autoscaler" | "break-watches"; readonly which: number }
  | { readonly do: "rest-dlx" | "rest-autoscaler"; readonly which: number; readonly ms: Milliseconds }
  | { readonly do: "switch-lead"; readonly which: number }
  | { readonly do: "jump-clock"; readonly which: number; readonly ms: Milliseconds }
  | { readonly do: "scale-by-hand"; readonly resource: string; readonly to: number }
  | { readonly do: "hpa"; readonly resource: string; readonly to: number }
  | { readonly do: "edit-policy" | "crash" | "break" | "mend"; readonly resource: string }
  | { readonly do: "gitops"; readonly resource: string; readonly ms: Milliseconds }
  | { readonly do: "tamper"; readonly resource: string; readonly what: "slice" | "key" }
  | { readonly do: "metrics"; readonly fault: MetricsFault | "none" }
  | { readonly do: "ask-sleep" | "ask-wake"; readonly resource: string; readonly which: number }
  | { readonly do: "late-fence"; readonly resource: string; readonly which: number };

export type DeedKind = Deed["do"];

/** One act of a schedule. */
export interface Act {
  readonly cue: Cue;
  readonly deed: Deed;
}
