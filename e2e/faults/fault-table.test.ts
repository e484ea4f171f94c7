import { expect, it } from "vitest";
import type { Fault } from "./fault.ts";
import { type FaultResult, isPassed, toConclusion, toFaultTable, toRemarks } from "./fault-table.ts";
import { type Tally, toTally } from "./tally.ts";

const nothing = toTally([], [], 1, 4, []);

function result(name: string, tally: Partial<Tally> = {}): FaultResult {
  const fault: Fault = { name, title: `the ${name}`, run: () => Promise.reject(new Error("not run here")) };
  return { kind: "run", fault, tally: { ...nothing, ...tally }, tookMs: 12_345 };
}

it("has a row for each fault with what was lost and doubled, and the longest wait", () => {
  const table = toFaultTable([result("one", { requests: 100, longestMs: 1_234, lost: 2 }), result("another")]);
  const [heads, one] = table.split("\n");
  expect(heads?.split(/ {2,}/)).toEqual([
    "fault",
    "times",
    "requests",
    "refused",
    "cut",
    "replayed",
    "lost",
    "doubled",
    "longest wait",
    "took",
  ]);
  expect(one?.split(/ {2,}/)).toEqual(["the one", "4", "100", "0", "0", "0", "2", "0", "1.2 s", "12 s"]);
});

it("says what could not be tried and why, and does not count it", () => {
  const { fault } = result("far");
  const results: readonly FaultResult[] = [result("near"), { kind: "not-run", fault, whyNot: "it is far" }];
  expect(toFaultTable(results)).toMatch(/^the far +not tried$/m);
  expect(toRemarks(results)).toEqual(["far was not tried: it is far"]);
  expect(toConclusion(results)).toBe("1 passed, 0 failed");
});

it.each<Partial<Tally>>([{ lost: 1 }, { doubled: 1 }, { problems: ["something"] }])("calls %o a failure", (tally) => {
  expect(isPassed({ ...nothing, ...tally })).toBe(false);
  expect(toConclusion([result("a", tally), result("b")])).toBe("1 passed, 1 failed");
});

it("names the codes of refusals and every problem", () => {
  const results = [result("a", { refused: { X: 2, Y: 1 }, problems: ["first", "second"] })];
  expect(toRemarks(results)).toEqual(["a refused: X 2, Y 1", "a FAILED: first", "a FAILED: second"]);
});
