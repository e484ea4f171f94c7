import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RunningProgram } from "../demo/running-program.ts";

export interface AutoscalerProcessOptions {
  /** Where its file of variables is written. */
  readonly folder: string;
  /** Port of the application on 127.0.0.1. */
  readonly port: number;
  /** Port of its own admin API. */
  readonly admin: number;
  /** Simulated seconds in one. */
  readonly speed: number;
  readonly target: number;
  /** Absolute. */
  readonly tolerance: number;
}

const bin = fileURLToPath(new URL("../../packages/cli/src/bin.ts", import.meta.url));
const resource = "scalers[0].options.resources[0]";
const metrics = "autoscaler.metrics[0].options";

/** Times that no variable has, in simulated seconds: those of the configuration, which goes by real ones. */
const times: Readonly<Record<string, number>> = {
  [`${resource}.retries.firstWait`]: 0.1,
  [`${resource}.retries.longestWait`]: 2,
  [`${resource}.policy.cooldown`]: 4,
  [`${metrics}.retries.firstWait`]: 0.1,
  [`${metrics}.maxAge`]: 0.5,
};

/** Not scaled as the others are: a busy machine needs some time to answer at all. */
const requestTimeout = "300ms";

/** Those of every policy that says nothing else. */
const upPolicies = [
  { type: "pods", value: 4 },
  { type: "percent", value: 100 },
];

/**
 * Starts `dormouse autoscaler`, told of the application by variables alone, as in a container. Where the application's time
 * runs faster than real, so do its times.
 */
export function startAutoscaler({
  folder,
  port,
  admin,
  speed,
  target,
  tolerance,
}: AutoscalerProcessOptions): RunningProgram {
  const file = join(folder, "app.env");
  const variables = [
    "APP_SERVICE_URL=http://127.0.0.1",
    `APP_SERVICE_PORT=${String(port)}`,
    `SCALE_RESOLUTION_TIME=${String(5 / speed)}`,
    `SCALE_METRIC=${String(target)}`,
    `SCALE_TOLERANCE=${String(tolerance)}`,
    "LOG_LEVEL=INFO",
  ];
  writeFileSync(file, `${variables.join("\n")}\n`);
  const scaled = (seconds: number): string => `${String(Math.max(1, Math.round((seconds * 1_000) / speed)))}ms`;
  const settings = [
    ...[resource, metrics].map((place) => `${place}.timeout=${requestTimeout}`),
    ...Object.entries(times).map(([key, seconds]) => `${key}=${scaled(seconds)}`),
    `${resource}.policy.scaleUp=${JSON.stringify({ policies: upPolicies.map((each) => ({ ...each, period: scaled(15) })) })}`,
  ].flatMap((setting) => ["--set", setting]);
  const node = [process.execPath, "--conditions=@dormouse/source", "--disable-warning=ExperimentalWarning"];
  const own = ["--admin-listen", `127.0.0.1:${String(admin)}`, "--log-format", "json", "--no-live"];
  return new RunningProgram([...node, bin, "autoscaler", "--env-file", file, ...own, ...(speed === 1 ? [] : settings)]);
}
