import { ScalerError } from "@dormouse/core";
import type { ApiQuery, Cluster } from "./cluster/cluster.ts";
import type { KubeList, KubeObject } from "./kube-object.ts";

/** Pages of 500: half a million objects. */
const mostPages = 1_000;

/**
 * Every object of a collection as it is now, read from the server's store, never from a cache. Rejects as a whole: a part
 * of the truth is none.
 */
export async function listAll<Item extends KubeObject>(
  cluster: Cluster,
  path: string,
  { query, signal }: { readonly query?: ApiQuery; readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let next: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const options = { query: { ...query, limit: 500, continue: next }, signal };
    const list = await cluster.request<KubeList<Item> | undefined>("GET", path, options);
    if (!Array.isArray(list?.items ?? undefined)) throw new ScalerError("SCALER_UNAVAILABLE", `${path} gave no list`);
    items.push(...(list?.items ?? []));
    next = list?.metadata?.continue;
    if (next === undefined || next === "") return items;
  }
  throw new ScalerError("SCALER_UNAVAILABLE", `the list of ${path} has no end`);
}
