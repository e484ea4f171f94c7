import { describe, expect, it } from "vitest";
import { readValueTree } from "../scripts/value-tree.ts";
import { toValuesSchema } from "../scripts/values-schema.ts";

describe("the reader of values.yaml", () => {
  it("finds the description of the first key of a mapping, and of one after it", () => {
    const tree = readValueTree("a:\n  # -- first\n  b: 1\n  # -- second\n  c: x\n");
    expect(tree.get("a")).toEqual({
      kind: "group",
      keys: new Map([
        ["b", { kind: "value", default: 1, description: "first" }],
        ["c", { kind: "value", default: "x", description: "second" }],
      ]),
    });
  });

  it("takes a described mapping as one value, and follows an alias to it", () => {
    const tree = readValueTree("# -- here\na: &x { b: 1 }\n# -- there\nc: *x\n");
    expect(tree.get("c")).toEqual({ kind: "value", default: { b: 1 }, description: "there" });
  });

  it("names a key that has no description", () => {
    expect(() => readValueTree("a:\n  # -- first\n  b: 1\n  c: 2\n")).toThrow("a.c has no description");
  });
});

describe("the schema of values", () => {
  const tree = readValueTree("a:\n  # -- first\n  b: 1\n  # -- second\n  c: []\n");

  it("refuses unknown keys at every level", () => {
    const schema = toValuesSchema(tree, new Map([["a.c", { type: "array" }]]));
    expect(schema).toMatchObject({ additionalProperties: false, properties: { a: { additionalProperties: false } } });
  });

  it("asks for the form of a key whose default does not tell it", () => {
    expect(() => toValuesSchema(tree, new Map())).toThrow("a.c");
  });

  it("names a form that belongs to no key", () => {
    expect(() =>
      toValuesSchema(
        tree,
        new Map([
          ["a.c", {}],
          ["a.d", {}],
        ]),
      ),
    ).toThrow("no value a.d");
  });
});
