import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fillInGuide } from "../scripts/guide-parts.ts";

describe("docs/writing-a-scaler.md", () => {
  it("has the rules and the example as they are; else run `npx pnpm@12 --filter @dormouse/conformance guide`", () => {
    const guide = readFileSync(join(import.meta.dirname, "../../../docs/writing-a-scaler.md"), "utf8");
    expect(fillInGuide(guide)).toBe(guide);
  });
});
