import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { generatedFiles } from "../scripts/generated-files.ts";

describe.each(generatedFiles.map((file) => [basename(file.path), file] as const))("%s", (_name, { path, render }) => {
  it("is what the schemas and tables say; else run `npx pnpm@12 schema`", () => {
    const current = readFileSync(path, "utf8");
    expect(render(current)).toBe(current);
  });
});
