import { parseArgs } from "node:util";

/** What the command line asks for. */
export interface FaultOptions {
  readonly times: number;
  readonly seed: number;
  /** Names of faults; empty: all. */
  readonly only: readonly string[];
  readonly help: boolean;
}

/** @throws Error in words for whoever wrote the arguments */
export function parseFaultOptions(args: readonly string[], names: readonly string[], anySeed: number): FaultOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      times: { type: "string", default: "3" },
      seed: { type: "string", default: String(anySeed) },
      only: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", default: false },
    },
  });
  const unknown = values.only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`nothing is called ${unknown}: ${names.join(", ")}`);
  return { ...values, times: wholeNumber("--times", values.times, 1), seed: wholeNumber("--seed", values.seed, 0) };
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`${option} must be a whole number from ${least}, not ${JSON.stringify(text)}`);
}
