import type { ResourceFailure, Resource } from "./resource-scaler.ts";

/** What a host does with a resource at the moment. */
export type Operation = "wake" | "sleep" | undefined;

/** The five states. `since` is the epoch ms at which this process first saw it so. */
export type ResourceState =
  | { readonly kind: "asleep"; readonly since: number }
  | { readonly kind: "waking"; readonly since: number }
  | { readonly kind: "awake"; readonly since: number }
  | { readonly kind: "sleeping"; readonly since: number }
  | { readonly kind: "failed"; readonly since: number; readonly failure: ResourceFailure };

/**
 * The state that follows from the platform's facts and the host's running operation; the one place where states change.
 * `previous` gives `since` where the kind stays.
 */
export function nextState(
  previous: ResourceState | undefined,
  facts: Pick<Resource, "desired" | "ready" | "failure">,
  operation: Operation,
  now: number,
): ResourceState {
  const kind = stateKind(facts, operation);
  const since = previous?.kind === kind ? previous.since : now;
  return kind === "failed" && facts.failure !== undefined
    ? { kind, since, failure: facts.failure }
    : { kind: kind === "failed" ? "waking" : kind, since };
}

function stateKind(
  facts: Pick<Resource, "desired" | "ready" | "failure">,
  operation: Operation,
): ResourceState["kind"] {
  if (operation === "wake") return "waking";
  if (operation === "sleep") return "sleeping";
  if (facts.desired === 0) return facts.ready === 0 ? "asleep" : "sleeping";
  if (facts.ready > 0) return "awake";
  return facts.failure === undefined ? "waking" : "failed";
}
