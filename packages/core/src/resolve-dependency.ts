import { parseRef, type ResourceRef } from "./resource-ref.ts";

/**
 * The resource that an entry of `dependsOn` means: a bare name stands beside its owner, in the same scaler and namespace;
 * `scaler/name` and `scaler/namespace/name` are read like any printed ref.
 *
 * @throws ScalerError `SCALER_BAD_ARGUMENT` for anything else; never for an entry of a parsed policy
 */
export function resolveDependency(text: string, owner: ResourceRef): ResourceRef {
  return text.includes("/") ? parseRef(text) : parseRef(`${owner.scaler}/${owner.namespace}/${text}`);
}
