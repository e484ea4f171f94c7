import { describe, expect, it } from "vitest";
import { RefusedConfig } from "./refused-config.ts";
import { parseYaml } from "./yaml-source.ts";

function refusal(text: string): string {
  try {
    parseYaml(text, "some.yaml");
  } catch (error) {
    if (error instanceof RefusedConfig) return error.message;
    throw error;
  }
  return "accepted";
}

describe("places", () => {
  const source = parseYaml(
    [
      "# comment",
      "admin: { listen: x }",
      "scalers:",
      "  - use: process",
      "    options:",
      "      resources:",
      "        - name: one",
      "          port: 1",
    ].join("\n"),
    "some.yaml",
  );

  it.each([
    [["admin"], "some.yaml:2:1"],
    [["admin", "listen"], "some.yaml:2:10"],
    [["scalers", 0], "some.yaml:4:5"],
    [["scalers", 0, "options", "resources", 0, "port"], "some.yaml:8:11"],
  ])("finds the line and column of %j", (path, place) => {
    expect(source.locate(path)).toBe(place);
  });

  it("names the nearest place above a key that is missing", () => {
    expect(source.locate(["scalers", 0, "options", "resources", 0, "policy", "hosts"])).toBe("some.yaml:7:11");
  });

  it("names the file alone for the whole", () => {
    expect(source.locate([])).toBe("some.yaml");
  });

  it("follows aliases", () => {
    const aliased = parseYaml("one: &shared\n  key: 1\ntwo: *shared\n", "some.yaml");
    expect(aliased.locate(["two", "key"])).toBe("some.yaml:2:3");
  });
});

describe("what is refused", () => {
  it("names the line of a syntax error", () => {
    expect(refusal("a: 1\nb: [1, 2\nc: 3\n")).toMatch(/^some\.yaml:3:1: is no YAML: /);
  });

  it("names every syntax error", () => {
    expect(refusal("a: 1\na: 2\nb: 3\nb: 4\n").split("\n")).toHaveLength(2);
  });

  it("refuses a key that stands twice", () => {
    expect(refusal("dlx: 1\ndlx: 2\n")).toMatch(/^some\.yaml:2:1: .*unique/);
  });

  it.each(["", "# only a comment\n"])("refuses an empty file: %j", (text) => {
    expect(refusal(text)).toBe("some.yaml: is empty; dormouse init writes one to begin with");
  });

  it("refuses several documents in one file", () => {
    expect(refusal("a: 1\n---\nb: 2\n")).toMatch(/^some\.yaml:\d+:\d+: is no YAML/);
  });

  it("refuses a tag that nobody knows", () => {
    expect(refusal("a: !secret x\n")).toMatch(/^some\.yaml:1:4: is no YAML: .*tag/);
  });

  it("refuses aliases that multiply without end", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let level = 1; level < 9; level += 1)
      lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(", ")}]`);
    expect(refusal(lines.join("\n"))).toMatch(/^some\.yaml: is no usable YAML: .*; write the aliases out$/);
  });

  it("refuses a file that is too long to be one", () => {
    expect(refusal(`a: ${"x".repeat(4_000_001)}`)).toBe(
      "some.yaml: is longer than 4,000,000 characters; is it the right file?",
    );
  });
});
