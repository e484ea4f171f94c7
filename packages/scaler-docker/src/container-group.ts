import { isRefPart, type LocalRef, type ResourceFailure } from "@dormouse/core";
import type { InspectedContainer, ListedContainer } from "./docker-answers.ts";
import { toRefusal } from "./docker-error.ts";
import { composeLabels, hasDormouseLabel, type Labels, ownerLabels } from "./docker-labels.ts";

/** The containers of one resource, as they were listed. */
export interface ListedGroup {
  readonly ref: LocalRef;
  readonly members: readonly ListedContainer[];
  /** Two things have the same name. */
  readonly isAmbiguous: boolean;
}

/** The containers of one resource at one moment. */
export interface ContainerGroup {
  readonly ref: LocalRef;
  /** Labels of the first original, else of any member. */
  readonly labels: Labels;
  /** Made by somebody else, or in place of one that was, by number and name. */
  readonly originals: readonly InspectedContainer[];
  /** Made here, after one of the originals. */
  readonly replicas: readonly InspectedContainer[];
  /** Made here to take the place of an original that is still there. */
  readonly successors: readonly InspectedContainer[];
  /** Why it cannot be managed. */
  readonly problem?: ResourceFailure;
  /** Some of its containers could not be read: what is known of it may not be the whole. */
  readonly isPartial: boolean;
}

/** Key of a resource within one scaler. */
export function keyOf({ namespace, name }: LocalRef): string {
  return `${namespace}/${name}`;
}

/**
 * The resource that a container belongs to: its Compose service, else itself by name.
 *
 * @returns undefined where it has no label of Dormouse, where `docker compose run` made it, or where it has no usable name
 */
export function refOf(name: string, labels: Labels, namespace: string): LocalRef | undefined {
  if (!hasDormouseLabel(labels) || /^true$/i.test(labels[composeLabels.oneOff] ?? "")) return undefined;
  const { [composeLabels.project]: project, [composeLabels.service]: service } = labels;
  const ref =
    project !== undefined && service !== undefined
      ? { namespace: project, name: service }
      : { namespace, name: labels[ownerLabels.resource] ?? name };
  return isRefPart(ref.namespace) && isRefPart(ref.name) ? ref : undefined;
}

/** Puts containers of the same resource together; those of no resource are left out. */
export function groupListed(listed: readonly ListedContainer[], namespace: string): ReadonlyMap<string, ListedGroup> {
  const groups = new Map<string, { ref: LocalRef; members: ListedContainer[]; isAmbiguous: boolean }>();
  for (const container of listed) {
    const ref = refOf(container.name, container.labels, namespace);
    if (ref === undefined) continue;
    const group = groups.get(keyOf(ref));
    if (group === undefined) {
      groups.set(keyOf(ref), { ref, members: [container], isAmbiguous: false });
      continue;
    }
    group.isAmbiguous ||= isOfCompose(group.members[0]?.labels ?? {}) !== isOfCompose(container.labels);
    group.members.push(container);
  }
  return groups;
}

/**
 * Sorts what was read of a group's containers.
 *
 * @param problems why some could not be read
 * @returns undefined where all of them are gone
 */
export function toGroup(
  { ref, members, isAmbiguous }: ListedGroup,
  read: readonly InspectedContainer[],
  problems: readonly ResourceFailure[],
): ContainerGroup | undefined {
  if (read.length === 0 && problems.length === 0) return undefined;
  const ids = new Set(read.map(({ Id }) => Id));
  const isSuccessor = ({ Config }: InspectedContainer): boolean => ids.has(Config.Labels[ownerLabels.remadeFrom] ?? "");
  const sorted = read.toSorted(byNumberAndName);
  const replicas = sorted.filter(isReplica);
  const others = sorted.filter((container) => !isReplica(container));
  const originals = others.filter((container) => !isSuccessor(container));
  const problem = problems[0] ?? problemOf(originals, replicas, isAmbiguous);
  return {
    ref,
    labels: originals[0]?.Config.Labels ?? members[0]?.labels ?? {},
    originals,
    replicas,
    successors: others.filter(isSuccessor),
    isPartial: problems.length > 0,
    ...(problem !== undefined && { problem }),
  };
}

/** Everything that can serve, originals first. */
export function membersOf({ originals, replicas }: ContainerGroup): readonly InspectedContainer[] {
  return [...originals, ...replicas];
}

/** Whether this scaler made it after another one. */
export function isReplica({ Config }: InspectedContainer): boolean {
  return Config.Labels[ownerLabels.replicaOf] !== undefined;
}

/** Whether this scaler made it at all. */
export function isOwn(container: InspectedContainer): boolean {
  return isReplica(container) || container.Config.Labels[ownerLabels.remadeFrom] !== undefined;
}

/** Whether it was made after a container that is not the first original any more. */
export function isStale({ Config }: InspectedContainer, { originals }: ContainerGroup): boolean {
  const of = Config.Labels[ownerLabels.replicaOf];
  return of !== undefined && of !== originals[0]?.Id;
}

function problemOf(
  originals: readonly InspectedContainer[],
  replicas: readonly InspectedContainer[],
  isAmbiguous: boolean,
): ResourceFailure | undefined {
  if (isAmbiguous) {
    return toRefusal("a container and a Compose service have this name: rename one, or set another namespace");
  }
  if (originals.length > 0) return undefined;
  const names = replicas.map(({ Name }) => Name).join(" ");
  return toRefusal(
    `the container that its replicas were made after is gone: make it again, or remove them with docker rm -f ${names}`,
  );
}

function isOfCompose(labels: Labels): boolean {
  return labels[composeLabels.project] !== undefined && labels[composeLabels.service] !== undefined;
}

function byNumberAndName(one: InspectedContainer, other: InspectedContainer): number {
  return numberOf(one) - numberOf(other) || one.Name.localeCompare(other.Name, "en", { numeric: true });
}

/** Compose counts the containers of a service. */
export function numberOf({ Config }: Pick<InspectedContainer, "Config">): number {
  const number = Number(Config.Labels[composeLabels.number] ?? "1");
  return Number.isSafeInteger(number) && number > 0 ? number : 1;
}
