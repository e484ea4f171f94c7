import { describe, expect, it } from "vitest";
import { ConfigError, isConfigError, toConfigErrorBelow } from "./config-error.ts";

const issues = [
  { place: "defaults.idleAfter", problem: "is no duration", mend: 'write "5m"' },
  { place: "", problem: "is empty" },
];

describe("ConfigError", () => {
  it("has one line for each issue, with file, place, problem and mend", () => {
    expect(new ConfigError(issues, { file: "dormouse.yaml" }).message).toBe(
      'dormouse.yaml: defaults.idleAfter: is no duration; write "5m"\ndormouse.yaml: is empty',
    );
    expect(new ConfigError(issues).message).toBe('defaults.idleAfter: is no duration; write "5m"\nis empty');
  });

  it("goes below another place as a whole", () => {
    const error = new ConfigError(
      [
        { place: "[2].port", problem: "is missing" },
        { place: "name", problem: "is empty" },
        { place: "", problem: "no" },
      ],
      { file: "a" },
    );
    const below = toConfigErrorBelow("scalers[0].options", error);
    expect(below.issues.map((issue) => issue.place)).toEqual([
      "scalers[0].options[2].port",
      "scalers[0].options.name",
      "scalers[0].options",
    ]);
    expect(below).toMatchObject({ file: "a", cause: error });
  });

  it("is known by its brand, also from another installed copy", () => {
    const foreign = Object.assign(new Error("x"), { [Symbol.for("dormouse.dev/config-error")]: true, issues: [] });
    expect(isConfigError(foreign)).toBe(true);
    expect(isConfigError(new ConfigError(issues))).toBe(true);
    for (const value of [new Error("x"), { issues: [] }, undefined]) expect(isConfigError(value)).toBe(false);
  });
});
