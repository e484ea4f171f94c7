// What tests of other packages use; README.md says how.
export { endPod, makePodReady, testNode } from "./make-pod-ready.ts";
export type { PodSaid } from "./make-pod-ready.ts";
export { openApiServer } from "./open-api-server.ts";
export type { ApiServer, ApiServerOptions } from "./open-api-server.ts";
export { runTestKubelet } from "./run-test-kubelet.ts";
export type { TestKubeletOptions } from "./run-test-kubelet.ts";
export { slicesPath } from "./slices-path.ts";
export type { TestServer } from "./serve-tests.ts";
export { ApiFailure, openTestApi } from "./test-api.ts";
export type { ApiList, ApiObject, ObjectMeta, PatchKind, PodObject, TestApi } from "./test-api.ts";
export { createNamespace, openTestNamespace, testNamespace } from "./test-namespace.ts";
export type { TestNamespace } from "./test-namespace.ts";
export { openClientTools } from "./client-tools.ts";
export type { ClientTools, ToolOptions, ToolResult } from "./client-tools.ts";
