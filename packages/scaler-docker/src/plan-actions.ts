import type { InspectedContainer } from "./docker-answers.ts";
import { type ContainerGroup, isReplica, isStale, membersOf } from "./container-group.ts";
import { hasEnded, isDown, isPaused, isUp } from "./container-state.ts";
import type { SleepBy } from "./docker-options.ts";

/** One thing to do with one container. */
export interface ContainerAction {
  readonly kind: "start" | "unpause" | "stop" | "pause" | "remove" | "remake";
  readonly container: InspectedContainer;
}

/** What is wanted of a group. */
export interface GroupWish {
  readonly desired: number;
  /** Ids of the containers that are to run. */
  readonly wanted: ReadonlySet<string>;
  readonly sleepBy: SleepBy;
}

/**
 * What brings a group to what is wanted of it. Nothing here removes an original but `remake`, which puts another
 * container in its place first.
 */
export function planActions(group: ContainerGroup, wish: GroupWish): readonly ContainerAction[] {
  return membersOf(group).flatMap((container) => {
    const kind = wish.wanted.has(container.Id) ? actionOfWanted(container) : actionOfOther(container, group, wish);
    return kind === undefined ? [] : [{ kind, container }];
  });
}

function actionOfWanted(container: InspectedContainer): ContainerAction["kind"] | undefined {
  if (isPaused(container)) return "unpause";
  return isDown(container) ? "start" : undefined;
}

function actionOfOther(
  container: InspectedContainer,
  group: ContainerGroup,
  { desired, sleepBy }: GroupWish,
): ContainerAction["kind"] | undefined {
  // One replica too many, or one of a container that is no more: ours to remove.
  const isDoomed = isReplica(container) && (desired > 0 || sleepBy === "remove" || isStale(container, group));
  if (isUp(container)) return sleepBy === "pause" && !isDoomed && isPausable(container) ? "pause" : "stop";
  if (isPaused(container)) return isDoomed ? "stop" : undefined;
  if (!isDown(container)) return undefined;
  if (isDoomed) return "remove";
  return sleepBy === "remove" && desired === 0 && hasEnded(container) ? "remake" : undefined;
}

/** Between two starts there is nothing to pause. */
function isPausable({ State }: InspectedContainer): boolean {
  return State.Status === "running";
}

/**
 * Which containers are to run for a count: those that do, in their order, then others that are there. Fewer than the
 * count where some have to be made yet.
 */
export function chooseWanted(group: ContainerGroup, wanted: ReadonlySet<string>, count: number): Set<string> {
  const members = membersOf(group);
  const kept = members.filter(({ Id }) => wanted.has(Id));
  const others = members.filter((each) => !wanted.has(each.Id) && !isStale(each, group));
  return new Set([...kept, ...others].slice(0, count).map(({ Id }) => Id));
}
