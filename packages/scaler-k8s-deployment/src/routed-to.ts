import type { RouteDirection } from "@dormouse/core";
import { divertedKey } from "./names.ts";
import type { ServiceObject, SliceObject } from "./objects.ts";
import { readRoute } from "./route-record.ts";
import { addressTypesOf } from "./slice-api.ts";

/** The direction that the present objects amount to; undefined: something between, or nothing known. */
export function routedTo(
  service: ServiceObject,
  slices: readonly SliceObject[],
  { drains, hasPods }: { readonly drains: boolean; readonly hasPods: boolean },
): RouteDirection | undefined {
  const hasKey = service.spec.selector?.[divertedKey] !== undefined;
  const all = addressTypesOf(service).map((addressType) => slices.find((slice) => slice.addressType === addressType));
  if (all.every((slice) => slice !== undefined && isFilled(slice) && readRoute(slice.metadata)?.to === "dlx"))
    return hasKey || !drains || !hasPods ? "dlx" : undefined;
  return all.every((slice) => !isFilled(slice)) && !hasKey ? "resource" : undefined;
}

function isFilled(slice: SliceObject | undefined): boolean {
  return slice !== undefined && (slice.endpoints ?? []).length > 0;
}
