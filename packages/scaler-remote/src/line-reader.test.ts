import { describe, expect, it } from "vitest";
import { LineReader } from "./line-reader.ts";

interface Line {
  readonly text: string;
  readonly wasCut: boolean;
}

function read(
  mostBytes: number,
  ...chunks: readonly string[]
): { readonly lines: Line[]; readonly reader: LineReader } {
  const lines: Line[] = [];
  const reader = new LineReader(mostBytes, (line, wasCut) => void lines.push({ text: line.toString(), wasCut }));
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return { lines, reader };
}

const whole = (text: string): Line => ({ text, wasCut: false });

describe("lines", () => {
  it.each([
    [["a\nb\n"], ["a", "b"]],
    [["a", "b", "\n"], ["ab"]],
    [["a\r\nb\r\n"], ["a", "b"]],
    [["\n\n\r\na\n\n"], ["a"]],
    [["ä".repeat(3), "\n"], ["äää"]],
    [["a\nrest"], ["a"]],
  ])("are put together from chunks: %j", (chunks, expected) => {
    expect(read(100, ...chunks).lines).toEqual(expected.map(whole));
  });

  it("that are too long say so, whether their end comes in the same chunk or never", () => {
    expect(read(4, "abcdefgh\nnext\n").lines).toEqual([{ text: "abcd", wasCut: true }, whole("next")]);
    const { lines, reader } = read(4, "abcd", "e");
    expect(lines).toEqual([]);
    expect(reader.isCutting).toBe(true);
  });

  it("have just as many bytes as there may be", () => {
    expect(read(4, "abcd\n").lines).toEqual([whole("abcd")]);
  });

  it("come whole out of thousands of pieces", () => {
    const pieces = Array.from({ length: 5_000 }, (_, index) => String(index % 10));
    expect(read(10_000, ...pieces, "\n").lines).toEqual([whole(pieces.join(""))]);
  });

  it("are given out at the end without an end of their own", () => {
    const { lines, reader } = read(100, "last words");
    reader.end();
    expect(lines).toEqual([whole("last words")]);
  });
});
