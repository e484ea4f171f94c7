import { type ConfigIssue, ConfigError } from "./config-error.ts";
import { formatDuration } from "./duration.ts";
import { joinLabelList } from "./label-list.ts";
import { type PolicyLabelKey, policyLabelKeys } from "./policy-label-keys.ts";
import type { PartialPolicy, Policy } from "./policy.ts";
import type { RatePolicy } from "./target-policy.ts";

/** What a platform allows. */
export interface FormatLabelsOptions {
  /** The most characters that a value may have: 256 on Azure. */
  readonly longestValue?: number;
}

/**
 * A policy as labels, such that `parsePolicyLabels` reads the same. Only keys that are given are written.
 * @throws ConfigError where a value is longer than the platform allows
 */
export function formatPolicyLabels(
  policy: PartialPolicy,
  prefix: string,
  options: FormatLabelsOptions = {},
): Record<string, string> {
  const entries = policyLabelKeys.flatMap((key) => {
    const [outer, inner] = key.path;
    const value: unknown = inner === undefined ? policy[outer] : valueIn(policy[outer], inner);
    return value === undefined ? [] : [[prefix + key.name, toText(key, value)] as const];
  });
  const issues = entries.flatMap(([label, text]) =>
    tooLong(label, text, options.longestValue ?? Number.POSITIVE_INFINITY),
  );
  if (issues.length > 0) throw new ConfigError(issues);
  return Object.fromEntries(entries);
}

function valueIn(outer: unknown, key: string): unknown {
  return typeof outer === "object" && outer !== null ? Reflect.get(outer, key) : undefined;
}

function tooLong(label: string, text: string, longest: number): ConfigIssue[] {
  if (text.length <= longest) return [];
  return [
    {
      place: label,
      problem: `needs ${text.length} characters, and the platform keeps ${longest}`,
      mend: "say less here, or put it in the scaler's options",
    },
  ];
}

function toText({ name, form }: PolicyLabelKey, value: unknown): string {
  if (form === "list") return joinLabelList(value as readonly string[]);
  if (form === "duration") return formatDuration(value as number);
  if (form !== "json") return String(value);
  return JSON.stringify(toWritten(name, value));
}

/** With durations as people write them. */
function toWritten(name: string, value: unknown): unknown {
  if (name === "idle-rules")
    return (value as Policy["idleRules"]).map((rule) => ({ ...rule, window: formatDuration(rule.window) }));
  if (name === "scale-up-policies" || name === "scale-down-policies")
    return (value as readonly RatePolicy[]).map((rate) => ({ ...rate, period: formatDuration(rate.period) }));
  return value;
}
