import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { formatIssue } from "./config-error.ts";
import { durationSchema } from "./duration.ts";
import { toConfigIssues } from "./to-config-issues.ts";

/** What somebody reads who wrote this value for this schema: one line per issue. */
function linesOf(schema: StandardSchemaV1, written: unknown, place = "options"): string[] {
  const result = schema["~standard"].validate(written);
  if (result instanceof Promise || result.issues === undefined) throw new Error("the schema took it");
  return toConfigIssues(result.issues, { schema, written, place }).map((issue) => formatIssue(issue));
}

const schema = z.strictObject({
  idleAfter: durationSchema.optional(),
  replicas: z.int().min(1).max(5).optional(),
  ratio: z.number().gt(0).lt(1).optional(),
  name: z.string().min(1).max(3).optional(),
  id: z
    .string()
    .regex(/^[a-z]+$/)
    .optional(),
  args: z.array(z.string()).min(1).max(2).optional(),
  open: z.boolean().optional(),
  routing: z.enum(["auto", "always"]).optional(),
  kind: z.literal("x").optional(),
  url: z.url().optional(),
  nested: z.strictObject({ path: z.string(), status: z.int().optional() }).optional(),
  env: z.record(z.string().regex(/^[A-Z]+$/, "is no variable; use capitals"), z.string()).optional(),
  from: z
    .union([z.string(), z.strictObject({ file: z.string() }), z.strictObject({ env: z.string(), trim: z.boolean() })])
    .optional(),
  list: z.union([z.string(), z.array(z.string())]).optional(),
});

describe("an issue's line", () => {
  it.each<[object, string]>([
    [{ idelAfter: "5m" }, 'options.idelAfter: is no known key; did you mean "idleAfter"?'],
    [{ "idle-after": "5m" }, 'options.idle-after: is no known key; did you mean "idleAfter"?'],
    [{ nested: { path: "/", stauts: 1 } }, 'options.nested.stauts: is no known key; did you mean "status"?'],
    [{ nested: { path: "/", colour: 1 } }, "options.nested.colour: is no known key; known here: path, status"],
    [
      { idleAfter: "5 minutes" },
      'options.idleAfter: "5 minutes" is no duration; write a number with its unit, such as "250ms", "90s", "5m", "1h", or 0',
    ],
    [{ nested: {} }, "options.nested.path: is missing; give a text"],
    [{ nested: null }, "options.nested: has no value; give a mapping of keys or leave the key out"],
    [{ replicas: "2" }, "options.replicas: must be a number, not a text; write it without quotes"],
    [{ replicas: 1.5 }, "options.replicas: must be a whole number, not a fraction"],
    [{ replicas: 0 }, "options.replicas: must be at least 1"],
    [{ replicas: 6 }, "options.replicas: must be at most 5"],
    [{ ratio: 0 }, "options.ratio: must be above 0"],
    [{ ratio: 1 }, "options.ratio: must be below 1"],
    [{ ratio: Number.NaN }, "options.ratio: must be a number, not NaN"],
    [{ name: "" }, "options.name: is empty"],
    [{ name: "long" }, "options.name: must have at most 3 characters"],
    [{ name: 5 }, "options.name: must be a text, not a number; put it in quotes"],
    [{ id: "A" }, "options.id: must match pattern /^[a-z]+$/"],
    [{ args: [] }, "options.args: must have at least 1 entry"],
    [{ args: ["a", "b", "c"] }, "options.args: must have at most 2 entries"],
    [{ args: "a" }, "options.args: must be a list, not a text; put it in brackets: [ … ]"],
    [{ args: ["sleep", 5] }, "options.args[1]: must be a text, not a number; put it in quotes"],
    [{ open: "true" }, "options.open: must be true or false, not a text; write it without quotes"],
    [{ open: [] }, "options.open: must be true or false, not a list"],
    [
      { routing: "alway" },
      'options.routing: "alway" is not known here; did you mean "always"? Known: "auto", "always"',
    ],
    [{ routing: "manual" }, 'options.routing: "manual" is not known here; write one of "auto", "always"'],
    [{ routing: null }, 'options.routing: has no value; write one of "auto", "always"'],
    [{ routing: {} }, 'options.routing: must not be a mapping of keys; write one of "auto", "always"'],
    [{ kind: "y" }, 'options.kind: "y" is not known here; did you mean "x"? Known: "x"'],
    [{ url: "nope" }, "options.url: is no URL"],
    [{ env: { path: "x" } }, "options.env.path: is no variable; use capitals"],
    [{ env: { "A B": 1 } }, 'options.env["A B"]: is no variable; use capitals'],
    [{ from: { flie: "x" } }, "options.from.file: is missing; give a text"],
    [{ from: { env: "x" } }, "options.from.trim: is missing; give true or false"],
    [{ from: 5 }, "options.from: must be a text or a mapping of keys, not a number"],
    [{ list: {} }, "options.list: must be a text or a list, not a mapping of keys"],
    [{ list: ["a", 1] }, "options.list[1]: must be a text, not a number; put it in quotes"],
  ])("for %j", (written, line) => {
    expect(linesOf(schema, written)).toContain(line);
  });

  it("stands for the whole where the value itself is wrong", () => {
    expect(linesOf(schema, "text")).toEqual(["options: must be a mapping of keys, not a text"]);
    expect(linesOf(schema, 5, "")).toEqual(["must be a mapping of keys, not a number"]);
  });

  it("comes once for each thing that is wrong", () => {
    expect(linesOf(schema, { a1: 1, b1: 2, name: 5, replicas: 0 })).toHaveLength(4);
  });

  // A token that is written where a reference belongs must not end up in a log.
  it("never shows a value except of durations and fixed choices", () => {
    const secret = z.strictObject({
      token: z.string().min(100),
      key: z.int(),
      other: z.union([z.strictObject({ env: z.string() }), z.boolean()]),
    });
    expect(linesOf(secret, { token: "hunter2", key: "hunter2", other: "hunter2" }).join("\n")).not.toContain("hunter2");
  });
});

describe("issues of another schema library", () => {
  const foreign = (issues: readonly StandardSchemaV1.Issue[], properties?: readonly string[]): StandardSchemaV1 => {
    const jsonSchema = {
      input: () => ({ type: "object", properties: Object.fromEntries((properties ?? []).map((key) => [key, {}])) }),
    };
    const standard = {
      version: 1,
      vendor: "acme",
      validate: () => ({ issues }),
      ...(properties !== undefined && { jsonSchema }),
    } as const;
    return { "~standard": standard };
  };

  it("keep their message and get their place", () => {
    const path = ["resources", { key: 2 }, "image"];
    expect(linesOf(foreign([{ message: "Expected string but received 5", path }]), {})).toEqual([
      "options.resources[2].image: Expected string but received 5",
    ]);
    expect(linesOf(foreign([{ message: "no good" }]), {})).toEqual(["options: no good"]);
  });

  it("get the known key that was meant, where the library tells its keys", () => {
    const issues = [{ message: "imgae must be removed", path: ["imgae"] }];
    expect(linesOf(foreign(issues, ["image", "port"]), { imgae: "x" })).toEqual([
      'options.imgae: imgae must be removed; did you mean "image"?',
    ]);
    expect(linesOf(foreign(issues), { imgae: "x" })).toEqual(["options.imgae: imgae must be removed"]);
  });
});

describe("places", () => {
  it("are written by whoever knows better", () => {
    const result = schema["~standard"].validate({ replicas: 0 }) as StandardSchemaV1.FailureResult;
    const issues = toConfigIssues(result.issues, {
      written: {},
      place: "x",
      toPlace: (path) => `label ${path.join("-")}`,
    });
    expect(issues).toEqual([{ place: "label replicas", problem: "must be at least 1" }]);
  });
});
