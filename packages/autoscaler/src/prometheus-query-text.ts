import { formatDuration, type MetricQuery } from "@dormouse/core";
import type { PrometheusMetric } from "./prometheus-options.ts";

/** Label by which the values and the ages of one query are told apart. */
export const partLabel = "dormouse_part";

/** The PromQL of one configured metric for all resources of a query: one text, so that it is one request. */
export function toQueryText(
  { query, age }: Pick<PrometheusMetric, "query" | "age">,
  asked: Omit<MetricQuery, "metric">,
): string {
  const fill = filler(asked);
  if (age === undefined) return fill(query);
  return `${labelled(fill(query), "value")} or ${labelled(fill(age), "age")}`;
}

/** `label_replace` with an empty source and pattern matches always and so only sets the label. */
function labelled(query: string, part: string): string {
  return `label_replace((${query}), "${partLabel}", "${part}", "", "")`;
}

function filler({ windowMs, resources }: Omit<MetricQuery, "metric">): (text: string) => string {
  const values: Readonly<Record<string, string>> = {
    window: formatDuration(windowMs),
    namespace: anyOf(resources.map((ref) => ref.namespace)),
    names: anyOf(resources.map((ref) => ref.name)),
  };
  return (text) => text.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) => values[name] ?? whole);
}

/** An alternation for `=~`; each text once, in a fixed order. */
function anyOf(texts: readonly string[]): string {
  return [...new Set(texts)].sort().map(escapeForMatcher).join("|");
}

/**
 * Escapes a text twice: for the regular expression (RE2) and for the PromQL string around it. A dot becomes a class of one,
 * which needs no backslash and so holds in every kind of quotes.
 */
export function escapeForMatcher(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_:-]/gu, (char) => {
    if (char === ".") return "[.]";
    return `\\\\x{${(char.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
