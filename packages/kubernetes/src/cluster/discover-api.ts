import { type Logger, toScalerError } from "@dormouse/core";
import type { KubeClient } from "./kube-client.ts";

/** What a server serves: plurals by group and version. A version whose service is down has none. */
export type ServedApi = ReadonlyMap<string, ReadonlySet<string>>;

interface ResourceList {
  readonly resources?: readonly { readonly name: string }[];
}

interface GroupList {
  readonly groups?: readonly { readonly versions?: readonly { readonly groupVersion: string }[] }[];
}

/** The form since 1.27, which has everything in one answer (https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery). */
interface GroupDiscoveryList {
  readonly kind?: string;
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly resources?: readonly { readonly resource: string }[];
    }[];
  }[];
}

const accept = [
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
  "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
  "application/json",
].join(",");

/** Asks the server what it serves. Rejects where its own part fails; what others add to it may be down. */
export async function discoverApi(client: KubeClient, logger: Logger): Promise<ServedApi> {
  const core = client.request<ResourceList>("GET", "/api/v1");
  const options = { accept };
  const groups = client.request<GroupList & GroupDiscoveryList>("GET", "/apis", options);
  const [coreList, groupList] = await Promise.all([core, groups]);
  const served = new Map([["v1", pluralsOf(coreList)]]);
  const others =
    groupList.kind === "APIGroupDiscoveryList"
      ? readAggregated(groupList)
      : await readEach(client, versionsOf(groupList), logger);
  for (const [groupVersion, plurals] of others) served.set(groupVersion, plurals);
  return served;
}

function readAggregated({ items = [] }: GroupDiscoveryList): (readonly [string, ReadonlySet<string>])[] {
  return items.flatMap(({ metadata, versions = [] }) =>
    versions.map(
      ({ version, resources = [] }) =>
        [`${metadata?.name ?? ""}/${version}`, new Set(resources.map(({ resource }) => resource))] as const,
    ),
  );
}

function versionsOf({ groups = [] }: GroupList): readonly string[] {
  return groups.flatMap(({ versions = [] }) => versions.map(({ groupVersion }) => groupVersion));
}

async function readEach(client: KubeClient, groupVersions: readonly string[], logger: Logger) {
  return Promise.all(
    groupVersions.map(async (groupVersion) => {
      try {
        const list = await client.request<ResourceList>("GET", `/apis/${groupVersion}`);
        return [groupVersion, pluralsOf(list)] as const;
      } catch (error) {
        const known = toScalerError(error);
        // An aggregated API that is down, or has just gone, is its owner's matter.
        const isLocal = groupVersion === "apps/v1";
        if (isLocal) throw known;
        logger.warn({ groupVersion, error: known }, "this part of the Kubernetes API does not answer");
        return [groupVersion, new Set<string>()] as const;
      }
    }),
  );
}

function pluralsOf({ resources = [] }: ResourceList): ReadonlySet<string> {
  return new Set(resources.map(({ name }) => name));
}
