import { describeDeclared, reasonsOf } from "../../src/format-scorecard.ts";
import { scorecardBadge } from "../../src/scorecard-badge.ts";
import { countScores, type ScoreCounts } from "../../src/scorecard-counts.ts";
import type { Scorecard } from "../../src/scorecard.ts";
import { toTable } from "../markdown-table.ts";

/** What one file's kits reported. */
export interface KitReport {
  /** Title of its section; a number makes it unique where a file has several kits of one name. */
  readonly title: string;
  readonly card: Scorecard;
}

/** Sections by the path of the test file they came from. */
export type Sections = ReadonlyMap<string, string>;

const noRun = "This kit did not run where the page was written, and has no earlier scorecard.";

const head = `# Scorecards

<!-- Written by packages/conformance/scripts/write-scorecards.ts from runs of the kits: \`npx pnpm@12 scorecards\`. -->

What the [conformance kit](../packages/conformance/README.md) says of each scaler that comes with Dormouse. The
[table of rules](writing-a-scaler.md#the-rules) says what each rule proves.

A badge counts the rules that were proved among those that the scaler's capabilities ask for. A rule is left out for one of two reasons,
which stand below the table: the scaler does not declare what it is about, or the test has no hand on the platform for it. Every run of
\`npx pnpm@12 test\` compares this page with what its kits report.`;

/** The section of one test file. */
export function toFileSection(file: string, reports: readonly KitReport[]): string {
  const titles = reports.map(({ title }) => title);
  const numbered = titles.map((title, index) => {
    const earlier = titles.slice(0, index).filter((each) => each === title).length;
    return earlier === 0 ? title : `${title} (${earlier + 1})`;
  });
  return reports.map(({ card }, index) => toSection(file, numbered[index] ?? "", card)).join("\n\n");
}

/** The section of a file that never ran: it says so. */
export function toEmptySection(file: string): string {
  return `## ${file.split("/")[1] ?? file}\n\n[\`${file}\`](../${file}): ${noRun}`;
}

/** The whole page. Sections stand in the order of their files. */
export function renderPage(sections: Sections): string {
  const inOrder = [...sections].sort(([a], [b]) => a.localeCompare(b));
  const blocks = inOrder.map(([file, text]) => `<!-- scorecard: ${file} -->\n\n${text}\n\n<!-- end -->`);
  return `${[head, toOverview(inOrder.map(([, text]) => text)), ...blocks].join("\n\n")}\n`;
}

/** The sections that a page has. */
export function readSections(page: string): Map<string, string> {
  const found = page.matchAll(/<!-- scorecard: (\S+) -->\n\n([^]*?)\n\n<!-- end -->/g);
  return new Map([...found].map(([, file = "", text = ""]) => [file, text]));
}

/** Each section's title with its badge. */
function toOverview(texts: readonly string[]): string {
  const rows = texts.flatMap((text) =>
    [...text.matchAll(/^## (.+)\n\n(!\[.+\))?/gm)].map(([, title = "", badge = "no run yet"]) => [
      `[${title}](#${toAnchor(title)})`,
      badge,
    ]),
  );
  return toTable(["scaler", "badge"], rows);
}

/** As GitHub makes it of a heading. */
function toAnchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}

function toSection(file: string, title: string, card: Scorecard): string {
  const rows = card.groups.map((group) => [group.name, ...toCells(countScores(group))]);
  return [
    `## ${title}`,
    scorecardBadge(card),
    `[\`${file}\`](../${file}), contract ${card.contract}. Declares ${describeDeclared(card)}.`,
    toTable(
      ["group", "passed", "failed", "not declared", "no hook"],
      [...rows, ["all", ...toCells(countScores(card))]],
    ),
    ...reasonsOf(card).map(([reason, ids]) => `${toSentence(reason)}: ${ids.map((id) => `\`${id}\``).join(", ")}.`),
  ].join("\n\n");
}

function toCells(counts: ScoreCounts): string[] {
  return [counts.passed, counts.failed + counts["not-judged"], counts["not-declared"], counts["no-hook"]].map(String);
}

function toSentence(reason: string): string {
  return `${reason.slice(0, 1).toUpperCase()}${reason.slice(1)}`;
}
