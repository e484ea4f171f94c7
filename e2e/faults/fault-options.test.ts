import { expect, it } from "vitest";
import { parseFaultOptions } from "./fault-options.ts";

const parse = (...args: readonly string[]) => parseFaultOptions(args, ["one", "two"], 7);

it("does everything three times with any seed where nothing else is asked for", () => {
  expect(parse()).toEqual({ times: 3, seed: 7, only: [], help: false });
});

it("takes a number of times, a seed and names", () => {
  expect(parse("--times", "9", "--seed", "0", "--only", "one", "--only", "two")).toEqual({
    times: 9,
    seed: 0,
    only: ["one", "two"],
    help: false,
  });
});

it.each([
  [["--times", "0"], '--times must be a whole number from 1, not "0"'],
  [["--times", "many"], '--times must be a whole number from 1, not "many"'],
  [["--seed", "1.5"], '--seed must be a whole number from 0, not "1.5"'],
  [["--only", "three"], "nothing is called three: one, two"],
  [["--often"], "--often"],
  [["one"], "one"],
])("refuses %o in words", (args, words) => {
  expect(() => parse(...args)).toThrow(words);
});
