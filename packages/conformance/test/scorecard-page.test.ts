import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findKitFiles, pageFile } from "../scripts/scorecards/kit-files.ts";
import { readSections, renderPage, toEmptySection, toFileSection } from "../scripts/scorecards/scorecard-page.ts";
import type { Scorecard } from "../src/index.ts";

const card: Scorecard = {
  scaler: "acme",
  contract: 1,
  kit: "1.2.3",
  capabilities: { replicas: "many", watch: false, routing: false, compareAndSet: true, settleWithinMs: 0 },
  reconfigure: false,
  groups: [
    {
      name: "scale",
      rules: [
        { id: "scale/a", outcome: "passed" },
        { id: "scale/b", outcome: "no-hook", reason: "left out: the harness does not have breakStart" },
      ],
    },
  ],
};
const file = "packages/scaler-acme/test/conformance.test.ts";

describe("docs/scorecards.md", () => {
  it("has each kit of the workspace and no other, as written; else run `npx pnpm@12 scorecards`", () => {
    const page = readFileSync(pageFile, "utf8");
    const sections = readSections(page);
    expect([...sections.keys()].toSorted()).toEqual(findKitFiles());
    expect(renderPage(sections)).toBe(page);
  });
});

describe("a page of scorecards", () => {
  it("has a section with badge, counts and reasons, and finds it again", () => {
    const section = toFileSection(file, [{ title: "scaler-acme", card }]);
    expect(section).toContain("## scaler-acme\n\n![dormouse contract 1: 1 of 2 rules]");
    expect(section).toContain("Left out: the harness does not have breakStart: `scale/b`.");
    const page = renderPage(new Map([[file, section]]));
    expect(page).toContain("| [scaler-acme](#scaler-acme) | ![dormouse contract 1: 1 of 2 rules]");
    expect(readSections(page)).toEqual(new Map([[file, section]]));
  });

  it("tells two kits of one file apart", () => {
    const report = { title: "scaler-acme", card };
    const section = toFileSection(file, [report, { ...report, title: "scaler-acme, by pause" }, report]);
    expect(section.match(/^## .*$/gm)).toEqual(["## scaler-acme", "## scaler-acme, by pause", "## scaler-acme (2)"]);
  });

  it("says of a kit that never ran that it has no scorecard", () => {
    const page = renderPage(new Map([[file, toEmptySection(file)]]));
    expect(page).toMatch(/\| \[scaler-acme\]\(#scaler-acme\) \| no run yet +\|/);
    expect(page).toContain("did not run where the page was written");
  });

  it("stays the same with another version of the kit", () => {
    const newer = toFileSection(file, [{ title: "scaler-acme", card: { ...card, kit: "2.0.0" } }]);
    expect(newer).toBe(toFileSection(file, [{ title: "scaler-acme", card }]));
  });
});
