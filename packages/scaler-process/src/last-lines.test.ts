import { expect, it } from "vitest";
import { LastLines } from "./last-lines.ts";

function keep(lines: readonly string[]): readonly string[] {
  const kept = new LastLines();
  for (const line of lines) kept.push(Buffer.from(line));
  return kept.toText();
}

it("keeps the last 20 lines in order", () => {
  const lines = Array.from({ length: 50 }, (_, number) => `line ${number}`);
  expect(keep(lines)).toEqual(lines.slice(-20));
});

it("keeps at most 4 KiB, the last lines whole", () => {
  const lines = ["a", "b", "c"].map((letter) => letter.repeat(2_000));
  expect(keep(lines)).toEqual(lines.slice(-2));
});

it("keeps the begin of a line that alone is too long", () => {
  expect(keep(["x".repeat(10_000)])).toEqual(["x".repeat(4_096)]);
});
