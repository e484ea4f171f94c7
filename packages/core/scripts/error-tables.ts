import { type ErrorCode, type ErrorFacts, errorTable } from "../src/error-codes.ts";
import { formatDuration } from "../src/duration.ts";
import { errorAdvice } from "./error-advice.ts";
import { toMarkdownTable } from "./markdown-table.ts";

const groups = { scaler: "SCALER_", plugin: "PLUGIN_", config: "CONFIG_", dlx: "DLX_" } as const;

/** The tables of docs/errors.md by the names of their places in it. */
export function errorTables(): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(groups).map(([name, prefix]) => [name, tableOf(prefix)]));
}

function tableOf(prefix: string): string {
  const codes = Object.keys(errorTable).filter((code) => code.startsWith(prefix)) as ErrorCode[];
  const facts = toMarkdownTable(
    ["Code", "Status", "Retryable", "Retry after", "What callers read"],
    codes.map((code) => factsOf(code, errorTable[code])),
  );
  const advice = codes.map((code) => `**\`${code}\`** – ${errorAdvice[code].means} _${errorAdvice[code].mend}_`);
  return [facts, ...advice].join("\n\n");
}

function factsOf(code: string, facts: ErrorFacts): string[] {
  const retryAfter = facts.retryAfterMs === undefined ? "–" : formatDuration(facts.retryAfterMs);
  return [`\`${code}\``, String(facts.status), facts.retryable ? "yes" : "no", retryAfter, facts.detail];
}
