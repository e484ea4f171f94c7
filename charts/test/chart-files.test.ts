import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { chartFiles } from "../scripts/chart-files.ts";

describe.each(chartFiles.map((file) => [file.name, file] as const))("%s", (_name, { url, render }) => {
  it("is what values.yaml, the configuration's schema and the version of the CLI say; else run `npx pnpm@12 chart`", () => {
    const current = readFileSync(url, "utf8");
    expect(render(current)).toBe(current);
  });
});
