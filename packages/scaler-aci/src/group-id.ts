import type { LocalRef } from "@dormouse/core";
import type { SubscriptionOptions } from "./aci-options.ts";

/** Where a container group is. Azure keeps no case of names: all are lower case here. */
export interface GroupId {
  readonly subscription: string;
  readonly resourceGroup: string;
  readonly name: string;
}

/** Where groups are looked for: a whole subscription, or one resource group of it. */
export interface Scope {
  readonly subscription: string;
  readonly resourceGroup?: string;
}

const armPath =
  /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.ContainerInstance\/containerGroups\/([^/]+)$/i;

/** Longest namespace or name that a ref may have. */
const longestPart = 253;

/** What an id of the resource manager names; undefined where it names no container group. */
export function parseGroupId(id: unknown): GroupId | undefined {
  const [, subscription, resourceGroup, name] = (typeof id === "string" ? armPath.exec(id) : null) ?? [];
  if (subscription === undefined || resourceGroup === undefined || name === undefined) return undefined;
  return lowerCase({ subscription, resourceGroup, name });
}

/** Path of a group below the resource manager's endpoint. */
export function toArmPath({ subscription, resourceGroup, name }: GroupId): string {
  const group = `/subscriptions/${subscription}/resourceGroups/${encodeURIComponent(resourceGroup)}`;
  return `${group}/providers/Microsoft.ContainerInstance/containerGroups/${encodeURIComponent(name)}`;
}

/** One text for each group. */
export function keyOf({ subscription, resourceGroup, name }: GroupId): string {
  return `${subscription}/${resourceGroup}/${name}`;
}

/** Every scope that the options name. */
export function scopesOf(subscriptions: readonly SubscriptionOptions[]): readonly Scope[] {
  return subscriptions.flatMap(({ id, resourceGroups }): Scope[] => {
    const subscription = id.toLowerCase();
    if (resourceGroups === undefined) return [{ subscription }];
    const names = new Set(resourceGroups.map((name) => name.toLowerCase()));
    return [...names].map((resourceGroup) => ({ subscription, resourceGroup }));
  });
}

/**
 * Names of container groups as refs, and back. The namespace is the resource group, behind `name::` where its
 * subscription has a name. What a ref cannot have (a parenthesis, a letter with an accent) is `:` and two hexadecimal digits for each byte.
 */
export class RefNames {
  readonly #subscriptions: readonly SubscriptionOptions[];

  constructor(subscriptions: readonly SubscriptionOptions[]) {
    this.#subscriptions = subscriptions;
  }

  /** Undefined for what the options do not cover, and for what is too long for a ref. */
  toRef(group: GroupId): LocalRef | undefined {
    const subscription = this.#subscriptions.find(({ id }) => id.toLowerCase() === group.subscription);
    if (subscription === undefined || !covers(subscription, group.resourceGroup)) return undefined;
    const namespace = `${prefixOf(subscription)}${escape(group.resourceGroup)}`;
    const name = escape(group.name);
    return namespace.length > longestPart || name.length > longestPart ? undefined : { namespace, name };
  }

  /** Undefined for a ref that no group within the options can have. */
  toGroupId({ namespace, name }: LocalRef): GroupId | undefined {
    const subscription = this.#subscriptions.find((each) =>
      each.name === undefined ? !namespace.includes("::") : namespace.startsWith(prefixOf(each)),
    );
    if (subscription === undefined) return undefined;
    const resourceGroup = unescape(namespace.slice(prefixOf(subscription).length));
    const group = { subscription: subscription.id.toLowerCase(), resourceGroup, name: unescape(name) };
    const back = resourceGroup === "" ? undefined : this.toRef(group);
    return back?.namespace === namespace && back.name === name ? group : undefined;
  }
}

function prefixOf({ name }: SubscriptionOptions): string {
  return name === undefined ? "" : `${name}::`;
}

function covers({ resourceGroups }: SubscriptionOptions, resourceGroup: string): boolean {
  return resourceGroups === undefined || resourceGroups.some((name) => name.toLowerCase() === resourceGroup);
}

function escape(text: string): string {
  return text.replaceAll(/[^a-z0-9._-]/gu, (character) =>
    [...Buffer.from(character, "utf8")].map((byte) => `:${byte.toString(16).padStart(2, "0")}`).join(""),
  );
}

function unescape(text: string): string {
  return text.replaceAll(/(?::[0-9a-f]{2})+/g, (bytes) =>
    Buffer.from(bytes.replaceAll(":", ""), "hex").toString("utf8"),
  );
}

function lowerCase({ subscription, resourceGroup, name }: GroupId): GroupId {
  return {
    subscription: subscription.toLowerCase(),
    resourceGroup: resourceGroup.toLowerCase(),
    name: name.toLowerCase(),
  };
}
