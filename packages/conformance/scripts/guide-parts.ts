import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toTable } from "./markdown-table.ts";
import type { RuleFacts } from "../src/rule.ts";
import { groupOf } from "../src/scorecard.ts";
import { ruleFacts } from "../src/rules.ts";

/** Files of the example that the guide walks through, by the name of their place in it. */
const exampleFiles: Readonly<Record<string, string>> = {
  config: "dormouse.yaml",
  index: "src/index.ts",
  options: "src/runit-options.ts",
  scaler: "src/runit-scaler.ts",
  service: "src/runit-service.ts",
  folder: "src/service-folder.ts",
  status: "src/supervise-status.ts",
  crashes: "src/crash-count.ts",
  error: "src/runit-error.ts",
  test: "test/conformance.test.ts",
};

/** What stands in the guide for plugin authors and follows from code, by the name of its place. */
const parts: Readonly<Record<string, () => string>> = {
  created: listCreated,
  "created-test": () => toBlock("ts", fillIn(readTemplate("test/conformance.test.ts"))),
  ...Object.fromEntries(Object.entries(exampleFiles).map(([name, file]) => [name, () => toCode(file)])),
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
  const code = readFileSync(new URL(`../../../examples/runit-scaler/${file}`, import.meta.url), "utf8");
  return toBlock(file.endsWith(".ts") ? "ts" : "yaml", code);
}

function toBlock(language: string, code: string): string {
  return `\`\`\`${language}\n${code.trimEnd()}\n\`\`\``;
}

const template = new URL("../../create-scaler/template/", import.meta.url);

function readTemplate(file: string): string {
  return readFileSync(new URL(file, template), "utf8");
}

/** The names that `npm create @dormouse/scaler nomad` puts into the template. */
function fillIn(text: string): string {
  return text.replaceAll("Example", "Nomad").replaceAll("example", "nomad");
}

/** Every file that is written, in the order of a listing. */
function listCreated(): string {
  const entries = readdirSync(template, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => join(entry.parentPath, entry.name).slice(fileURLToPath(template).length));
  const written = files.map((file) => (file === "_gitignore" ? ".gitignore" : fillIn(file).replace(/^_/, "")));
  return toBlock("text", written.toSorted((a, b) => a.localeCompare(b, "en")).join("\n"));
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
