import { describe, expect, it } from "vitest";
import { collect } from "../../test/collect.ts";
import { readJsonLines, readText } from "./read-body.ts";

async function* pieces(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

describe("a body", () => {
  it("is refused once it is larger than the bound, as a whole or by one line", async () => {
    expect(await readText(pieces("1234", "5678"), 8)).toBe("12345678");
    await expect(readText(pieces("1234", "56789"), 8)).rejects.toMatchObject({
      code: "SCALER_UNAVAILABLE",
      retryable: false,
    });
    const lines = pieces('{"a":1}\n{"b":2}\n{"c":', "3,".repeat(8), "3}\n");
    await expect(collect(readJsonLines(lines, 16))).rejects.toThrow("more than we take");
  });

  it("that ends within a line is cut off", async () => {
    await expect(collect(readJsonLines(pieces('{"a":1}\n{"b":')))).rejects.toThrow("broke off within a line");
  });
});
