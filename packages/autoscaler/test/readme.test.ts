import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dlxMetrics, prometheusOptionsSchema } from "../src/index.ts";
import { fillInReasons } from "../scripts/reason-tables.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("the README", () => {
  it("has the reasons as the code has them; else run pnpm --filter @dormouse/autoscaler reasons", () => {
    expect(readme).toBe(fillInReasons(readme));
  });

  it("names every metric of the source dlx and every option of the source prometheus", () => {
    for (const name of [...dlxMetrics, ...Object.keys(prometheusOptionsSchema.shape)])
      expect(readme).toContain(`\`${name}\``);
    const metric = prometheusOptionsSchema.shape.metrics.valueType;
    for (const name of Object.keys(metric.shape)) expect(readme).toContain(`\`${name}\``);
  });
});
