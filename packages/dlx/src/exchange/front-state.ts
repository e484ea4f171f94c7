import type { Clock, DlxConfig, Logger, Policy } from "@dormouse/core";
import type { Forwarder } from "../forward/forwarder.ts";
import type { Networks } from "../forward/networks.ts";
import type { Gate } from "../gate/passage.ts";
import type { RouteTable } from "../route/route-table.ts";
import type { RequestRecorder } from "./request-recorder.ts";
import type { StartingRoom } from "./starting-room.ts";
import type { Tracing } from "./tracing.ts";

/** What all exchanges of one front share. */
export interface FrontState {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly forwarder: Forwarder;
  readonly recorder: RequestRecorder;
  readonly startingRoom: StartingRoom;
  readonly tracing: Tracing | undefined;
  readonly gateOf: (key: string) => Gate | undefined;
  readonly policyOf: (key: string) => Policy;
  readonly isStarting: () => boolean;
  /** Whether a resource's own traffic no longer comes here, so that pinned clients should leave. */
  readonly isDirect: (key: string) => boolean;
  config: DlxConfig;
  table: RouteTable;
  trusted: Networks;
  /** Stopping: every answer closes its connection. */
  isDraining: boolean;
  /** Exchanges under way, upgraded connections among them. */
  active: number;
  /** Called as `active` becomes 0. */
  onIdle: () => void;
}
