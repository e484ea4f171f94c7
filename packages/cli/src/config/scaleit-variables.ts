import { formatDuration } from "@dormouse/core";
import type { Terminal } from "../terminal.ts";
import { createRefusals } from "./refusals.ts";
import { type LoadedConfig, parseOverridden } from "./load-config.ts";
import type { Override } from "./override.ts";
import type { Problem } from "./problem.ts";
import { RefusedConfig } from "./refused-config.ts";
import { scaleItConfig } from "./scaleit-config.ts";
import { parseYaml } from "./yaml-source.ts";

type Environment = Terminal["environment"];

/** What stands for a file in messages. */
const environmentName = "the environment";

/** Variables of which one is enough to ask for an autoscaler of one application; `LOG_LEVEL` counts only beside them. */
const scaleItVariables = [
  "APP_SERVICE_URL",
  "APP_SERVICE_PORT",
  "SCALE_RESOLUTION_TIME",
  "SCALE_METRIC",
  "SCALE_TOLERANCE",
] as const;

type Variable = (typeof scaleItVariables)[number] | "LOG_LEVEL";

/** Whether the environment has one of them; an empty one counts as not set. */
export function hasScaleItVariables(environment: Environment): boolean {
  return scaleItVariables.some((name) => (environment[name] ?? "") !== "");
}

/**
 * The configuration that the variables stand for: that of docs/scaleit.md, with their values.
 *
 * @param overrides what stands above them
 * @throws RefusedConfig that names every variable with a wrong value
 */
export function loadScaleItVariables(environment: Environment, overrides: readonly Override[]): LoadedConfig {
  const all = [...new VariableReader(environment).read(), ...overrides];
  const source = { ...parseYaml(scaleItConfig, environmentName), locate: () => environmentName };
  const refusals = createRefusals(source, all);
  const config = parseOverridden(source, all, { file: environmentName, refusals });
  const folder = process.cwd();
  return { isFile: false, file: environmentName, path: folder, folder, text: "", config, ...refusals };
}

const resource = ["scalers", 0, "options", "resources", 0] as const;
const target = [...resource, "policy", "target"] as const;
const statusUrl = ["autoscaler", "metrics", 0, "options", "metrics", "cpu", "url"] as const;

class VariableReader {
  readonly #environment: Environment;
  readonly #problems: Problem[] = [];

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  read(): Override[] {
    const overrides = [
      ...this.#urls(),
      this.#override("SCALE_RESOLUTION_TIME", ["autoscaler", "every"], toEvery),
      this.#override("SCALE_METRIC", [...target, "value"], toNumber),
      this.#override("SCALE_TOLERANCE", [...target, "tolerance"], toNumber),
      this.#override("LOG_LEVEL", ["log", "level"], toLevel),
    ];
    if (this.#problems.length > 0) throw new RefusedConfig(this.#problems);
    return overrides.filter((override) => override !== undefined);
  }

  /** The address of both variables: the port is the variable's, unless the URL has one of its own. */
  #urls(): readonly Override[] {
    const url = this.#value("APP_SERVICE_URL", toUrl);
    const port = this.#value("APP_SERVICE_PORT", toPort);
    if (url === undefined && port === undefined) return [];
    const whole = new URL(url ?? "http://localhost");
    const own = portOf(url ?? "");
    if (own !== undefined && port !== undefined && own !== port)
      this.#refuse("APP_SERVICE_PORT", `is ${String(port)}, and APP_SERVICE_URL has port ${String(own)} already`);
    if (own === undefined) whole.port = String(port ?? 8123);
    const base = whole.href.replace(/\/$/, "");
    const origin = url === undefined ? "APP_SERVICE_PORT" : "APP_SERVICE_URL";
    return [
      { path: [...resource, "url"], value: base, origin },
      { path: statusUrl, value: `${base}/app/status`, origin },
    ];
  }

  #override(name: Variable, path: Override["path"], convert: Convert<unknown>): Override | undefined {
    const value = this.#value(name, convert);
    return value === undefined ? undefined : { path, value, origin: name };
  }

  #value<Value>(name: Variable, convert: Convert<Value>): Value | undefined {
    const text = this.#environment[name]?.trim() ?? "";
    if (text === "") return undefined;
    const value = convert(text);
    if (!(value instanceof Unusable)) return value;
    return this.#refuse(name, `${JSON.stringify(text)} ${value.problem}`, value.mend);
  }

  #refuse(name: Variable, problem: string, mend?: string): undefined {
    this.#problems.push({ origin: name, place: "", problem, ...(mend !== undefined && { mend }) });
    return undefined;
  }
}

/** The port that is written in a URL, also where it is the protocol's own, which `URL` leaves out. */
function portOf(url: string): number | undefined {
  const port = /:(\d+)$/.exec(url.split(/[/?#]/)[2] ?? "")?.[1];
  return port === undefined ? undefined : Number(port);
}

/** What is wrong with a text. */
class Unusable {
  readonly problem: string;
  readonly mend: string;

  constructor(problem: string, mend: string) {
    this.problem = problem;
    this.mend = mend;
  }
}

type Convert<Value> = (text: string) => Value | Unusable;

function toNumber(text: string): number | Unusable {
  const number = Number(text);
  return Number.isFinite(number) ? number : new Unusable("is no number", "write for example 0.8");
}

function toEvery(text: string): string | Unusable {
  const ms = Math.round(Number(text) * 1_000);
  if (Number.isSafeInteger(ms) && ms > 0) return formatDuration(ms);
  return new Unusable("is no time", "write a number of seconds, for example 5");
}

function toPort(text: string): number | Unusable {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  return new Unusable("is no port", "write a number from 1 to 65535");
}

function toUrl(text: string): string | Unusable {
  const isHttp = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  return isHttp ? text : new Unusable("is no URL", "write for example http://localhost");
}

/** As Python's logging and others name them. */
const levels: Readonly<Record<string, string>> = {
  trace: "debug",
  debug: "debug",
  info: "info",
  notice: "info",
  warn: "warn",
  warning: "warn",
  error: "error",
  critical: "error",
  fatal: "error",
  silent: "silent",
};

function toLevel(text: string): string | Unusable {
  const level = levels[text.toLowerCase()];
  return level ?? new Unusable("is no log level", "write DEBUG, INFO, WARNING, ERROR or SILENT");
}
