import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { type Column, renderTable } from "./render-table.ts";

const columns: readonly Column[] = [
  { title: "NAME", dispensable: 0 },
  { title: "STATE", dispensable: 0 },
  { title: "HELD", align: "right", dispensable: 1 },
  { title: "WAKE", dispensable: 2 },
];
const rows = [
  ["local/default/hello", "\u001b[32mawake\u001b[39m", "5", "412 ms"],
  ["k8s/prod/statefulset:database", "asleep", "1000", "-"],
];

function render(width: number): string {
  return stripVTControlCharacters(renderTable(columns, rows, width));
}

describe("renderTable", () => {
  it("aligns columns whatever colours their cells have, without lines and trailing blanks", () => {
    expect(render(Infinity)).toBe(
      [
        "NAME                           STATE   HELD  WAKE", //
        "local/default/hello            awake      5  412 ms",
        "k8s/prod/statefulset:database  asleep  1000  -",
      ].join("\n"),
    );
  });

  it("leaves out what matters least where the terminal is narrow", () => {
    expect(render(50).split("\n")[0]).toBe("NAME                           STATE   HELD");
    expect(render(40).split("\n")[0]).toBe("NAME                           STATE");
  });

  it("cuts the first column at last, and is never wider than it may be", () => {
    expect(render(24)).toBe(
      [
        "NAME              STATE", //
        "local/default/h…  awake",
        "k8s/prod/statef…  asleep",
      ].join("\n"),
    );
    for (let width = 16; width < 60; width += 1) {
      for (const line of render(width).split("\n")) expect(line.length).toBeLessThanOrEqual(width);
    }
  });

  it("shows its head where there is nothing else", () => {
    expect(renderTable(columns, [], 80)).toBe("NAME  STATE  HELD  WAKE");
  });
});
