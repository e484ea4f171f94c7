import { readFileSync } from "node:fs";
import { toTable } from "./markdown-table.ts";
import type { RuleFacts } from "../src/rule.ts";
import { groupOf } from "../src/scorecard.ts";
import { ruleFacts } from "../src/rules.ts";

/** What stands in the guide for plugin authors and follows from code, by the name of its place. */
const parts: Readonly<Record<string, () => string>> = {
  index: () => toCode("src/index.ts"),
  options: () => toCode("src/worker-options.ts"),
  scaler: () => toCode("src/worker-scaler.ts"),
  resource: () => toCode("src/worker-resource.ts"),
  error: () => toCode("src/worker-error.ts"),
  test: () => toCode("test/conformance.test.ts"),
  config: () => toCode("dormouse.yaml"),
  rules: () =>
    [...Map.groupBy(ruleFacts, ({ id }) => groupOf(id))]
      .map(([group, members]) => toSection(group, members))
      .join("\n\n"),
};

/** The guide with each part between its `<!-- generated: NAME -->` and `<!-- end -->`; every part has its place. */
export function fillInGuide(guide: string): string {
  return Object.entries(parts).reduce((text, [name, render]) => {
    const place = new RegExp(`(<!-- generated: ${name} -->\n)[^]*?(\n<!-- end -->)`);
    if (!place.test(text)) throw new Error(`there is no place for the part "${name}"`);
    return text.replace(place, (_match, start: string, end: string) => `${start}\n${render()}\n${end}`);
  }, guide);
}

/** A file of the example. */
function toCode(file: string): string {
  const code = readFileSync(new URL(`../../../examples/custom-scaler/${file}`, import.meta.url), "utf8");
  return `\`\`\`${file.endsWith(".ts") ? "ts" : "yaml"}\n${code.trimEnd()}\n\`\`\``;
}

function toSection(group: string, members: readonly RuleFacts[]): string {
  const rows = members.map((rule) => [`\`${rule.id}\``, rule.title, rule.why, conditionsOf(rule)]);
  return `### ${group}\n\n${toTable(["rule", "what it proves", "why", "judged with"], rows)}`;
}

/** What a scaler has to declare, and what a harness has to have. */
function conditionsOf({ requires = [], needs = [] }: RuleFacts): string {
  const conditions = [...requires, ...needs].map((each) => `\`${each}\``);
  return conditions.length === 0 ? "–" : conditions.join(", ");
}
