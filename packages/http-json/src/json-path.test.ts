import { describe, expect, it } from "vitest";
import { JsonPath, jsonPathSchema } from "./json-path.ts";
import { readNumber } from "./read-number.ts";

const read = (path: string, document: unknown): unknown => readNumber(new JsonPath(path), document);

describe("a JSONPath", () => {
  it.each(["$.cpu.highPriority", "$['a b'].c", "$.apps[?@.name == 'web'].replicas", "$.apps['{{name}}'].cpu"])(
    "%s is accepted",
    (text) => {
      expect(jsonPathSchema.safeParse(text).success).toBe(true);
    },
  );

  it.each(["", "cpu.highPriority", "$.a[", "$.a.{{pod}}", `$.${"a".repeat(2_000)}`])(
    "%j is refused with the mend",
    (text) => {
      expect(jsonPathSchema.safeParse(text).success).toBe(false);
    },
  );

  it("is never run as code", () => {
    const text = "$[?(globalThis.hacked = true)]";
    expect(jsonPathSchema.safeParse(text).success).toBe(false);
    expect(Reflect.get(globalThis, "hacked")).toBeUndefined();
  });

  it.each<[string, unknown, unknown]>([
    ["reads a number", { a: 0.68 }, { value: 0.68 }],
    ["reads 0", { a: 0 }, { value: 0 }],
    ["takes no text for a number", { a: "0.68" }, { problem: 'leads to "0.68", which is no number' }],
    ["takes null for no number", { a: null }, { problem: "leads to null, which is no number" }],
    ["takes true for no number", { a: true }, { problem: "leads to true, which is no number" }],
    ["takes infinity for no number", JSON.parse('{"a":1e999}'), { problem: "leads to null, which is no number" }],
    ["finds nothing where there is nothing", { b: 1 }, { problem: "leads nowhere" }],
    ["finds nothing in a list", [1], { problem: "leads nowhere" }],
    ["finds nothing in a number", 7, { problem: "leads nowhere" }],
    ["does not take what every object inherits", {}, { problem: "leads nowhere" }],
  ])("%s", (_, document, expected) => {
    expect(read("$.a", document)).toEqual(expected);
  });

  it("does not choose among several", () => {
    expect(read("$.a[*]", { a: [1, 2] })).toEqual({ problem: "leads to 2 values, not to one" });
  });

  it("gives up on a document that is too deep", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`);
    expect(read("$..a", deep)).toEqual({ problem: expect.stringContaining("cannot be searched") as unknown });
  });
});
