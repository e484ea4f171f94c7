import { describe, expect, it } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

/** The lines of a text that comes in chunks of so many bytes; a cut one ends in "+". */
function split(text: string, chunkBytes: number, lineBytes = 1_000): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(lineBytes, (line, wasCut) =>
    lines.push(line.toString("utf8") + (wasCut ? "+" : "")),
  );
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) splitter.push(bytes.subarray(at, at + chunkBytes));
  splitter.end();
  return lines;
}

describe("lines", () => {
  it.each([1, 2, 3, 7, 1_000])("are the same in chunks of %i bytes", (chunkBytes) => {
    const text = "one\n\ntwo \u{1F42D}\r\nthree";
    expect(split(text, chunkBytes)).toEqual(["one", "", "two \u{1F42D}", "three"]);
  });

  it.each([1, 4, 1_000])(
    "that are too long lose their end, and the next one is whole, in chunks of %i bytes",
    (chunkBytes) => {
      expect(split("abcdefgh\nij\nabcde\n", chunkBytes, 5)).toEqual(["abcde+", "ij", "abcde"]);
    },
  );

  it("keep no more than their bound of an endless one", () => {
    expect(split("x".repeat(100_000), 64, 10)).toEqual(["xxxxxxxxxx+"]);
  });

  it("are none in nothing", () => {
    expect(split("", 1)).toEqual([]);
  });
});
