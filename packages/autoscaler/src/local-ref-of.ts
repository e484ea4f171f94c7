import type { LocalRef, ResourceRef } from "@dormouse/core";

/** A resource's ref as its scaler knows it. */
export function localRefOf({ namespace, name }: ResourceRef): LocalRef {
  return { namespace, name };
}
