import { divertedKey } from "./names.ts";

type Labels = Readonly<Record<string, string>>;

/** Whether all of a selector's pairs are among the labels. The key that diverts a Service is not its owner's and does not count. */
export function matchesLabels(selector: Labels | undefined, labels: Labels | undefined): boolean {
  const pairs = Object.entries(selector ?? {}).filter(([key]) => key !== divertedKey);
  return pairs.length > 0 && pairs.every(([key, value]) => labels?.[key] === value);
}
