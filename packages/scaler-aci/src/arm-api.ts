import type { ArmProblem } from "./aci-error.ts";
import type { GroupId, Scope } from "./group-id.ts";

/** What each call to the resource manager takes. */
export interface ArmCall {
  readonly signal?: AbortSignal | undefined;
  /** Somebody waits for the answer: others leave a part of the rate to these. */
  readonly isUrgent: boolean;
  /** Called when the request leaves: from here on its outcome may be unknown. */
  readonly onSend?: () => void;
}

/** A long-running operation as it stands. */
export interface ArmOperation {
  readonly isDone: boolean;
  readonly problem?: ArmProblem;
}

/** The few requests that are made. All reject with ScalerErrors. */
export interface ArmApi {
  /** Groups as they are written, without the state of any. */
  listGroups(scope: Scope, call: ArmCall): Promise<readonly unknown[]>;
  /** One group with its state; undefined where it is gone. */
  getGroup(group: GroupId, call: ArmCall): Promise<unknown>;
  /** Starts what is stopped. @returns where its operation can be followed; undefined where it runs already */
  startGroup(group: GroupId, call: ArmCall): Promise<string | undefined>;
  stopGroup(group: GroupId, call: ArmCall): Promise<void>;
  /** @param url as the resource manager gave it; followed on the configured host alone. Undefined: it is not known any more */
  getOperation(group: GroupId, url: string, call: ArmCall): Promise<ArmOperation | undefined>;
}
