import type { Capabilities, Milliseconds, PartialPolicy } from "@dormouse/core";
import type { Climate } from "../engine/weather.ts";
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
  /** Leaders at once, with no lease between them. */
  readonly autoscalers: number;
  readonly capabilities: Capabilities;
  readonly resources: readonly ScenarioResource[];
  readonly climate: Climate;
  readonly slowStarts: number;
  readonly propagationMs: Milliseconds;
  readonly isBodyKept: boolean;
  /** How long acts and faults go on. */
  readonly lastsMs: Milliseconds;
  readonly acts: readonly Act[];
}
