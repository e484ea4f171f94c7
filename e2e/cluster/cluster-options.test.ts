import { describe, expect, it } from "vitest";
import { parseClusterOptions } from "./cluster-options.ts";

const names = ["cycles", "direct"];

describe("parseClusterOptions", () => {
  it("runs everything by a seed of its own where nothing is said", () => {
    expect(parseClusterOptions([], names, 7)).toEqual({
      only: [],
      quick: false,
      seed: 7,
      nodes: 1,
      keptImages: false,
      help: false,
    });
  });

  it("takes single proofs, and a seed to repeat a run", () => {
    expect(parseClusterOptions(["--only", "direct", "--quick", "--seed", "42"], names, 7)).toMatchObject({
      only: ["direct"],
      quick: true,
      seed: 42,
    });
  });

  it("names what there is where something unknown is asked for", () => {
    expect(() => parseClusterOptions(["--only", "indirect"], names, 7)).toThrow(
      "nothing is called indirect: cycles, direct",
    );
  });

  it.each(["", "1.5", "-1", "many"])("refuses the seed %j", (seed) => {
    expect(() => parseClusterOptions([`--seed=${seed}`], names, 7)).toThrow("--seed must be a whole number from 0");
  });

  it("takes a number of nodes from 1 to 9", () => {
    expect(parseClusterOptions(["--nodes", "3"], names, 7).nodes).toBe(3);
    for (const wrong of ["0", "10", "", "two"]) {
      expect(() => parseClusterOptions([`--nodes=${wrong}`], names, 7)).toThrow("--nodes must be a number from 1 to 9");
    }
  });
});
