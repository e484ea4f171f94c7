/** Which pods belong to a workload (`metav1.LabelSelector`). */
export interface PodSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | null;
  readonly matchExpressions?: readonly PodExpression[] | null;
}

interface PodExpression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | null;
}

/** Whether labels are selected. An empty selector, and an operator that is not known, select nothing. */
export function selectsPod(selector: PodSelector, labels: Readonly<Record<string, string>>): boolean {
  const pairs = Object.entries(selector.matchLabels ?? {});
  const expressions = selector.matchExpressions ?? [];
  if (pairs.length === 0 && expressions.length === 0) return false;
  return pairs.every(([key, value]) => labels[key] === value) && expressions.every((each) => holds(each, labels));
}

function holds({ key, operator, values }: PodExpression, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && (values ?? []).includes(value);
    case "NotIn":
      return value === undefined || !(values ?? []).includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return false;
  }
}
