import type { Capabilities, Milliseconds, PartialPolicy } from "@dormouse/core";
import type { Climate, SlowSpell } from "../engine/weather.ts";
import type { Act } from "./act.ts";

/** A resource of a scenario. */
export interface ScenarioResource {
  readonly name: string;
  readonly desired: number;
  readonly policy: PartialPolicy;
}

/** Everything that a run depends on besides the code: what there is, what happens, and how messages fare. */
export interface Scenario {
  readonly seed: number;
  /** `one`: DLX and autoscaler are one process; `many`: they find each other by the platform. */
  readonly hosts: "one" | "many";
  readonly dlxs: number;
  readonly autoscalers: number;
  /** All of them lead at once, with no lease between them; else one does, and the others stand by. */
  readonly allLead: boolean;
  readonly capabilities: Capabilities;
  /** Traffic is routed as Kubernetes routes that of Services. */
  readonly isService: boolean;
  readonly resources: readonly ScenarioResource[];
  readonly climate: Climate;
  readonly spells: readonly SlowSpell[];
  readonly slowStarts: number;
  readonly propagationMs: Milliseconds;
  readonly isBodyKept: boolean;
  /** How long acts and faults go on. */
  readonly lastsMs: Milliseconds;
  readonly acts: readonly Act[];
}
