import { parseArgs } from "node:util";

/** What the command line asks for. */
export interface ClusterOptions {
  /** Names of proofs; empty: all. */
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly seed: number;
  /** Of a cluster of our own; a foreign one has what it has. */
  readonly nodes: number;
  /** Images of the last run are used as they are. */
  readonly keptImages: boolean;
  readonly help: boolean;
}

/** @throws Error in words for whoever wrote the arguments */
export function parseClusterOptions(
  args: readonly string[],
  names: readonly string[],
  anySeed: number,
): ClusterOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true, default: [] },
      quick: { type: "boolean", default: false },
      seed: { type: "string", default: String(anySeed) },
      nodes: { type: "string", default: "1" },
      "kept-images": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const unknown = values.only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`nothing is called ${unknown}: ${names.join(", ")}`);
  const seed = Number(values.seed);
  if (!/^\d+$/.test(values.seed) || !Number.isSafeInteger(seed)) {
    throw new Error(`--seed must be a whole number from 0, not ${JSON.stringify(values.seed)}`);
  }
  if (!/^[1-9]$/.test(values.nodes)) {
    throw new Error(`--nodes must be a number from 1 to 9, not ${JSON.stringify(values.nodes)}`);
  }
  const { only, quick, "kept-images": keptImages, help } = values;
  return { only, quick, seed, nodes: Number(values.nodes), keptImages, help };
}
