import { describe, expect, it } from "vitest";
import { parsePlace } from "./parse-place.ts";

describe("parsePlace", () => {
  it.each([
    ["", []],
    ["dlx", ["dlx"]],
    ["dlx.listen[1]", ["dlx", "listen", 1]],
    [
      "scalers[0].options.resources[12].policy.idleAfter",
      ["scalers", 0, "options", "resources", 12, "policy", "idleAfter"],
    ],
    ['defaults.headers["x y"].z-z', ["defaults", "headers", "x y", "z-z"]],
    ['a["with \\"quotes\\""]', ["a", 'with "quotes"']],
  ])("takes %j apart", (place, path) => {
    expect(parsePlace(place)).toEqual(path);
  });

  it.each(["local/default/hello: policy", "a b", "a[", "a..b"])("finds no path in %j", (place) => {
    expect(parsePlace(place)).toBeUndefined();
  });
});
