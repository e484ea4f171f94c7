import { describe, expect, it } from "vitest";
import { fillIn, fillInManifest, fillInPath } from "./fill-in-template.ts";
import { toScalerNames } from "./scaler-names.ts";

const names = toScalerNames("@acme/dormouse-scaler-cloud-run");

describe("filling in a template", () => {
  it("gives each place the name in its form", () => {
    const text =
      'import { exampleOptions, ExampleScaler } from "./example-x.ts"; // dormouse-scaler-example, EXAMPLE_TOKEN';
    expect(fillIn(text, names)).toBe(
      'import { cloudRunOptions, CloudRunScaler } from "./cloud-run-x.ts"; // @acme/dormouse-scaler-cloud-run, CLOUD_RUN_TOKEN',
    );
  });

  it("puts back the names of files that lie in the template under another one", () => {
    expect(fillInPath("_gitignore", names)).toBe(".gitignore");
    expect(fillInPath("_package.json", names)).toBe("package.json");
    expect(fillInPath("src/example-error.ts", names)).toBe("src/cloud-run-error.ts");
  });

  it("asks for the version of Dormouse that wrote it", () => {
    const text =
      '{ "name": "dormouse-scaler-example", "@dormouse/core": "^0.0.0", "@dormouse/cli": ">=0.0.0", "zod": "^4.6.7" }';
    expect(fillInManifest(text, names, "1.2.3")).toBe(
      '{ "name": "@acme/dormouse-scaler-cloud-run", "@dormouse/core": "^1.2.3", "@dormouse/cli": ">=1.2.3", "zod": "^4.6.7" }',
    );
  });
});
