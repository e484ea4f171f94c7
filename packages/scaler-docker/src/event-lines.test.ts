import { expect, it } from "vitest";
import { linesOf } from "./event-lines.ts";

async function read(chunks: readonly (string | Buffer)[]): Promise<string[]> {
  async function* stream(): AsyncGenerator {
    yield* chunks;
  }
  const lines: string[] = [];
  for await (const line of linesOf(stream())) lines.push(line);
  return lines;
}

it("parts a stream into lines wherever it was cut", async () => {
  const bytes = Buffer.from('{"a":"Ä"}\n\n{"b":1}\n{"rest');
  for (let at = 0; at < bytes.length; at += 1) {
    expect(await read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(['{"a":"Ä"}', '{"b":1}']);
  }
});

it("drops a line that is too long, and only that one", async () => {
  const long = Array.from({ length: 24 }, () => "x".repeat(100_000));
  expect(await read(["first\n", ...long, "end\nlast\n"])).toEqual(["first", "last"]);
});
