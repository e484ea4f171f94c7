import { sleepSteps } from "@dormouse/autoscaler";
import type { MessageFault } from "../engine/weather.ts";
import type { DeedKind } from "../scenario/act.ts";
import { wakeMoments } from "../scenario/draw-scenario.ts";

/** What can meet a step of the protocol. */
export const encounters = [
  "request",
  "DLX dies",
  "DLX rests",
  "DLX joins",
  "DLX drains",
  "autoscaler dies",
  "autoscaler rests",
  "foreign write",
  "application fails",
  "late",
  "request-lost",
  "answer-lost",
  "repeated",
] as const;

type Encounter = (typeof encounters)[number];

/** Steps of a sleep, and moments of a wake. */
export const protocolSteps: readonly string[] = [
  ...sleepSteps.map((step) => `sleep: ${step}`),
  ...wakeMoments.map((moment) => `wake: ${moment}`),
];

const encounterOf: Partial<Record<DeedKind, Encounter>> = {
  request: "request",
  "kill-dlx": "DLX dies",
  "rest-dlx": "DLX rests",
  "join-dlx": "DLX joins",
  "drain-dlx": "DLX drains",
  "kill-autoscaler": "autoscaler dies",
  "rest-autoscaler": "autoscaler rests",
  "scale-by-hand": "foreign write",
  hpa: "foreign write",
  "edit-policy": "foreign write",
  crash: "application fails",
  break: "application fails",
};

/** Counts, by step of the protocol, what it met; and how sleeps and wakes ended. */
export class Coverage {
  readonly met = new Map<string, number>();
  readonly endings = new Map<string, number>();

  deed(step: string, kind: DeedKind): void {
    const encounter = encounterOf[kind];
    if (encounter !== undefined) this.#add(this.met, `${step}|${encounter}`);
  }

  fault(step: string, fault: MessageFault): void {
    this.#add(this.met, `${step}|${fault}`);
  }

  /** @param how for example `sleep kept: in-flight` */
  ended(how: string): void {
    this.#add(this.endings, how);
  }

  /** Takes in what another run, or another thread's runs, counted. */
  merge(other: { readonly met: Iterable<[string, number]>; readonly endings: Iterable<[string, number]> }): void {
    for (const [key, count] of other.met) this.#add(this.met, key, count);
    for (const [key, count] of other.endings) this.#add(this.endings, key, count);
  }

  #add(counts: Map<string, number>, key: string, by = 1): void {
    counts.set(key, (counts.get(key) ?? 0) + by);
  }
}

/** A request that is forwarded meets a broken connection, and nobody sends it twice but us. */
const impossible = new Set(["late", "repeated"].map((fault) => `wake: release|${fault}`));

/** Cells of the table that should not be empty. */
export function emptyCells(met: ReadonlyMap<string, number>): readonly string[] {
  return protocolSteps
    .flatMap((step) => encounters.map((encounter) => `${step}|${encounter}`))
    .filter((cell) => !impossible.has(cell) && !met.has(cell));
}

/** Whether a cell can never be met. */
export function isImpossible(cell: string): boolean {
  return impossible.has(cell);
}
