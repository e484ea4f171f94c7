import type { Scenario } from "../scenario/scenario.ts";
import type { RunResult } from "../world/run-scenario.ts";
import { applyMutant } from "./apply-mutant.ts";
import { mutants } from "./mutants.ts";

export interface ReplayOptions {
  readonly seed: number;
  readonly mutant: string | undefined;
  /** The schedule as it was drawn; else shortened to what a failure needs. */
  readonly isWhole: boolean;
}

export interface Replay {
  readonly text: string;
  readonly held: boolean;
}

/** Runs one seed again, and tells it: the schedule, the time line, what was broken. */
export async function replay({ seed, mutant: hole, isWhole }: ReplayOptions): Promise<Replay> {
  const mutant = mutants.find((each) => each.hole === hole);
  if (mutant !== undefined) applyMutant(mutant);
  const { drawScenario } = await import("../scenario/draw-scenario.ts");
  const { runScenario } = await import("../world/run-scenario.ts");
  const { shrink } = await import("./shrink.ts");
  const drawn = drawScenario(seed);
  const whole = await runScenario(drawn, { isTold: true });
  if (whole.violations.length === 0 || isWhole) return toReplay(drawn, whole, "as it was drawn");
  const { scenario, faults, runs } = await shrink(drawn, whole);
  const shortened = await runScenario(scenario, { isTold: true, onlyFaults: new Set(faults) });
  return toReplay(scenario, shortened, `shortened by ${String(runs)} runs`, faults);
}

function toReplay(
  scenario: Scenario,
  result: RunResult,
  how: string,
  faults: readonly string[] = result.faults,
): Replay {
  const { violations, timeLine = "" } = result;
  const text = [
    `seed ${String(scenario.seed)}, ${how}:`,
    describe(scenario),
    ...scenario.acts.map(({ cue, deed }) => `  on ${JSON.stringify(cue)}: ${JSON.stringify(deed)}`),
    ...scenario.spells.map((spell) => `  slow: ${JSON.stringify(spell)}`),
    ...faults.map((fault) => `  fault: ${fault}`),
    "",
    upTo(timeLine, violations.length > 0),
    "",
    ...violations.map(({ property, what, at }) => `BROKEN ${property} at ${(at / 1_000).toFixed(4)} s: ${what}`),
    violations.length === 0 ? "all properties held" : "",
  ];
  return { text: text.join("\n").trimEnd(), held: violations.length === 0 };
}

/** To the first thing that broke and a little beyond: what follows explains nothing. */
function upTo(timeLine: string, isBroken: boolean): string {
  const lines = timeLine.split("\n");
  const broken = lines.findIndex((line) => line.includes(" s  !!"));
  return (isBroken && broken >= 0 ? lines.slice(0, broken + 3) : lines).join("\n");
}

function describe({ hosts, dlxs, autoscalers, allLead, capabilities, isService, resources }: Scenario): string {
  const { watch, routing, compareAndSet } = capabilities;
  const platform = Object.entries({ watch, routing, compareAndSet })
    .map(([name, has]) => `${has ? "" : "no "}${name}`)
    .concat(isService ? ["Services"] : [])
    .join(", ");
  const parts = hosts === "one" ? "one host" : `${String(dlxs)} DLXs, ${String(autoscalers)} autoscalers`;
  const names = resources.map(({ name, desired, policy }) => {
    const needs = policy.dependsOn === undefined ? "" : ` needs ${policy.dependsOn.join()}`;
    return `${name} (${String(desired)}${needs})`;
  });
  return `  ${parts}${allLead && autoscalers > 1 ? ", all leading" : ""}; a platform with ${platform}; ${names.join(", ")}`;
}
