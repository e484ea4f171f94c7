import type { Policy } from "./policy.ts";
import type { ResourceScaler } from "./resource-scaler.ts";

/** A plugin instance behind the host's guard. */
export interface GuardedScaler extends ResourceScaler {
  /** Id of the instance, unique in one host. */
  readonly id: string;
  /** Name of the plugin. */
  readonly plugin: string;
  /** Takes new options and defaults into the running instance; false where the plugin cannot. Rejects with the reason where the options are wrong; the old ones stay. */
  reconfigure(options: unknown, defaults: Policy): Promise<boolean>;
}
