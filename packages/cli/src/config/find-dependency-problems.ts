import { type ConfigIssue, formatRef, isScalerError, type ResourceRef, resolveDependency } from "@dormouse/core";
import type { PlacedResource } from "./placed-resource.ts";

/** What is known of the resources that a configuration does not list itself. */
export interface KnownScalers {
  /** Ids of all configured scalers. */
  readonly scalers: readonly string[];
  /** Whether every resource of the scaler is among those given. */
  readonly isComplete: (scaler: string) => boolean;
}

/** Entries of `dependsOn` that lead nowhere, and resources that depend on themselves by any way. */
export function findDependencyProblems(resources: readonly PlacedResource[], known: KnownScalers): ConfigIssue[] {
  const byKey = new Map(resources.map((resource) => [formatRef(resource.ref), resource]));
  return [...missingDependencies(byKey, known), ...dependencyCycles(byKey)];
}

function missingDependencies(byKey: ReadonlyMap<string, PlacedResource>, known: KnownScalers): ConfigIssue[] {
  return [...byKey.values()].flatMap((owner) =>
    owner.policy.dependsOn.flatMap((text, index): ConfigIssue[] => {
      const place = `${placeOf(owner)}.dependsOn[${index}]`;
      const ref = dependencyOf(text, owner.ref);
      if (ref === undefined || byKey.has(formatRef(ref))) return [];
      if (!known.scalers.includes(ref.scaler))
        return [{ place, problem: `there is no scaler "${ref.scaler}"`, mend: `known: ${known.scalers.join(", ")}` }];
      return known.isComplete(ref.scaler)
        ? [{ place, problem: `there is no resource ${formatRef(ref)}`, ...mendFor(ref, byKey) }]
        : [];
    }),
  );
}

function mendFor(ref: ResourceRef, byKey: ReadonlyMap<string, PlacedResource>): { readonly mend: string } {
  const sameName = [...byKey.values()].find((each) => each.ref.name === ref.name);
  const names = [...byKey.keys()].slice(0, 8);
  return { mend: sameName === undefined ? `known: ${names.join(", ")}` : `did you mean "${formatRef(sameName.ref)}"?` };
}

function dependencyOf(text: string, owner: ResourceRef): ResourceRef | undefined {
  try {
    return resolveDependency(text, owner);
  } catch (error) {
    if (isScalerError(error)) return undefined;
    throw error;
  }
}

function placeOf({ ref, place }: PlacedResource): string {
  return place === undefined ? formatRef(ref) : `${place}.policy`;
}

/** Each circle once, at the member that comes first. */
function dependencyCycles(byKey: ReadonlyMap<string, PlacedResource>): ConfigIssue[] {
  const done = new Set<string>();
  const issues: ConfigIssue[] = [];
  const visit = (key: string, path: readonly string[]): void => {
    const at = path.indexOf(key);
    const owner = byKey.get(key);
    if (at >= 0) issues.push(cycleIssue([...path.slice(at), key], byKey));
    if (at >= 0 || owner === undefined || done.has(key)) return;
    for (const text of owner.policy.dependsOn) {
      const ref = dependencyOf(text, owner.ref);
      if (ref !== undefined) visit(formatRef(ref), [...path, key]);
    }
    done.add(key);
  };
  for (const key of byKey.keys()) visit(key, []);
  return issues;
}

function cycleIssue(circle: readonly string[], byKey: ReadonlyMap<string, PlacedResource>): ConfigIssue {
  const owner = byKey.get(circle[0] ?? "");
  const place = owner === undefined ? "" : `${placeOf(owner)}.dependsOn`;
  return { place, problem: `leads in a circle: ${circle.join(" → ")}`, mend: "take one of these dependencies out" };
}
