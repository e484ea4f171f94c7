import type { Policy, ResourceRef } from "@dormouse/core";

/** A resource with its policy, wherever it is known from. */
export interface PlacedResource {
  readonly ref: ResourceRef;
  /** Where the resource stands in the configuration; left out where a platform's labels say it. */
  readonly place?: string;
  readonly policy: Policy;
}
