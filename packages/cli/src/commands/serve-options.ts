import type { ConfigOptions } from "./config-options.ts";

/** Flags of the commands that run a host. */
export interface ServeOptions extends ConfigOptions {
  /** False: plain log lines also on a terminal. */
  readonly live?: boolean;
  /** False: changes of the file are taken in by SIGHUP only. */
  readonly watch?: boolean;
}
