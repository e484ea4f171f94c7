import { fileURLToPath } from "node:url";

/** One process of the scaler `process`, as configuration writes it. */
export interface ResourceConfig {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

/** A configuration whose ports, state folder and admin API the harness fills in. */
export interface HostConfig {
  readonly resources: readonly ResourceConfig[];
  /** The plugin that runs the resources; `process` by default. */
  readonly use?: string;
  /** Folder of the state files; one in the host's own folder by default. */
  readonly stateDir?: string;
  readonly dlx?: Readonly<Record<string, unknown>>;
  readonly autoscaler?: Readonly<Record<string, unknown>>;
  readonly defaults?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

/** The command that runs a fixture service with the Node that runs the tests. */
export function run(name: string): readonly string[] {
  return [process.execPath, fileURLToPath(new URL(`../services/${name}.ts`, import.meta.url))];
}

/** Times of a policy under which a resource sleeps as soon as nobody uses it. */
export const quickSleep = { idleAfter: "50ms", minAwake: 0 } as const;

/** Times of a policy under which a resource stays awake for the whole test. */
export const staysAwake = { idleAfter: "1h" } as const;
