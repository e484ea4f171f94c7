export { type Dlx, type DlxOptions, openDlx, type WakeOptions } from "./dlx.ts";
export type { DlxResourceStatus } from "./dlx-status.ts";
export type { ReachedTarget } from "./gate/passage.ts";
export type { BoundAddress } from "./listen/listeners.ts";
export { localPeers } from "./local-peers.ts";
export { describeConflict, findConflicts, type RouteConflict } from "./route/find-conflicts.ts";
export { policyRoutes } from "./route/resource-routes.ts";
