import type { TestApi } from "./test-api.ts";

interface ApiGroup {
  readonly versions: readonly { readonly version: string }[];
}

/** Path of the EndpointSlices of a namespace, or of all: of `discovery.k8s.io/v1`, or `v1beta1` on servers before 1.21. */
export async function slicesPath(api: TestApi, namespace?: string): Promise<string> {
  const { versions } = await api.get<ApiGroup>("/apis/discovery.k8s.io");
  const version = versions.some((each) => each.version === "v1") ? "v1" : "v1beta1";
  const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return `/apis/discovery.k8s.io/${version}${scope}/endpointslices`;
}
