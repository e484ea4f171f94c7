import { fileURLToPath } from "node:url";
import type { Gates } from "../harness/gates.ts";
import type { HostConfig, ResourceConfig } from "../harness/host-config.ts";
import type { Launch } from "../harness/host.ts";
import { service, type ServiceOptions } from "../harness/stage.ts";
import { builtDormouse } from "./built-dormouse.ts";

/** What differs from one fault's stage to the other's. */
export interface StagePlan {
  /** Codes of refusals that the fault explains, for the service that is struck; none by default. */
  readonly mayRefuse?: readonly string[];
  /** The same for every other service. */
  readonly othersMayRefuse?: readonly string[];
  /** How much longer a request may take than its policy says: because the host itself stands still, for example. */
  readonly delayMs?: number;
  /** What the service that is struck has beside or instead of the usual. */
  readonly struck?: ServiceOptions & Readonly<Record<string, unknown>>;
  /** Further services. */
  readonly more?: (gates: Gates) => readonly ResourceConfig[];
  /** Leaves out the servers from npm, and all load but that of the service that is struck. */
  readonly isBare?: boolean;
  readonly dlx?: Readonly<Record<string, unknown>>;
  readonly stateDir?: string;
  readonly launch?: Launch;
}

/** The name of the service that is struck; it is `e2e/services/echo.ts` unless the plan says otherwise. */
export const struckName = "struck";

/** The name of its like, which nothing happens to. */
export const besideName = "beside";

/** Of both. A request takes no longer than both together. */
export const limits = { holdTimeoutMs: 8_000, responseTimeoutMs: 3_000 } as const;

/** They sleep as soon as the load leaves them alone for a moment, and are awake only once their `/ready` says so. */
const policy = {
  idleAfter: "120ms",
  minAwake: 0,
  holdTimeout: `${limits.holdTimeoutMs}ms`,
  responseTimeout: `${limits.responseTimeoutMs}ms`,
  readiness: { path: "/ready" },
} as const;

const gatedScaler = fileURLToPath(new URL("../services/gated-scaler.ts", import.meta.url));

/** The gates that are open unless a moment closes them. */
export const openGates = ["start", "ready", "answer"] as const;

/** The host of a stage. */
export function configOf(plan: StagePlan, gates: Gates, servers: readonly ResourceConfig[]): HostConfig {
  const { policy: ownPolicy, env, ...options } = plan.struck ?? {};
  const waits = { START_GATE: "start", READY_GATE: "ready", ...env };
  const struck = { ...options, env: waits, policy: { ...policy, ...ownPolicy }, stopGrace: "1s" };
  return {
    use: gatedScaler,
    ...(plan.stateDir !== undefined && { stateDir: plan.stateDir }),
    resources: [
      service(gates, struckName, struck),
      service(gates, besideName, { policy }),
      ...servers,
      ...(plan.more?.(gates) ?? []),
    ],
    autoscaler: { every: "25ms", quietPeriod: "50ms" },
    ...(plan.dlx !== undefined && { dlx: plan.dlx }),
  };
}

/** The product as it was built, with the scaler that waits at gates. */
export function launchOf(plan: StagePlan, gates: Gates): Launch {
  const env = { GATES: gates.folder, GATED: struckName, ...plan.launch?.env };
  return { dormouse: builtDormouse, ...plan.launch, env };
}
