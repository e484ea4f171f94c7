import { configSchema } from "@dormouse/core";
import { parse } from "yaml";
import { parsePlace } from "./parse-place.ts";
import { RefusedConfig } from "./refused-config.ts";

/** A value from the environment or the command line that replaces what the file says at a key. */
export interface Override {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
  /** For messages: `DORMOUSE_DLX_LISTEN`, `--set dlx.listen`. */
  readonly origin: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const sections = {
  admin: configSchema.shape.admin.unwrap().shape,
  dlx: configSchema.shape.dlx.unwrap().shape,
  autoscaler: configSchema.shape.autoscaler.unwrap().shape,
  cluster: configSchema.shape.cluster.unwrap().shape,
  defaults: configSchema.shape.defaults.unwrap().shape,
  telemetry: configSchema.shape.telemetry.unwrap().shape,
  log: configSchema.shape.log.unwrap().shape,
};

/**
 * Every variable that replaces a key of the file: `DORMOUSE_`, the section and the key in capitals, words joined by `_`.
 * Others are left alone: Kubernetes puts `DORMOUSE_…_SERVICE_HOST` and the like into the environment of its pods.
 */
export function overrideVariables(): ReadonlyMap<string, readonly [section: string, key: string]> {
  return new Map(
    Object.entries(sections).flatMap(([section, shape]) =>
      Object.keys(shape).map((key) => [`DORMOUSE_${toConstant(section)}_${toConstant(key)}`, [section, key]] as const),
    ),
  );
}

function toConstant(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** The overrides in the environment; values are YAML, so that lists and numbers work; an empty one counts as not set. */
export function environmentOverrides(environment: Environment): Override[] {
  return [...overrideVariables()].flatMap(([name, path]) => {
    const text = environment[name];
    return text === undefined || text === "" ? [] : [{ path, value: parseValue(text, name), origin: name }];
  });
}

/** An override as `--set` takes it: `dlx.listen=127.0.0.1:8080`, the value in YAML. */
export function parseSetting(text: string): Override {
  const at = text.indexOf("=");
  const key = text.slice(0, at);
  const path = at > 0 ? parsePlace(key) : undefined;
  if (path === undefined || path.length === 0) {
    const problem = `"${text}" is no setting`;
    throw new RefusedConfig([
      { origin: "--set", place: "", problem, mend: "write KEY=VALUE, for example dlx.listen=127.0.0.1:8080" },
    ]);
  }
  return { path, value: parseValue(text.slice(at + 1), `--set ${key}`), origin: `--set ${key}` };
}

function parseValue(text: string, origin: string): unknown {
  try {
    return parse(text, { prettyErrors: false, version: "1.2" }) as unknown;
  } catch (error) {
    const problem = `is no YAML value: ${error instanceof Error ? error.message : String(error)}`;
    throw new RefusedConfig(
      [{ origin, place: "", problem, mend: "put a text with special characters in quotes" }],
      error,
    );
  }
}

/** A copy of what the file says with the overrides in it, later ones last. What stands in the way of a path is replaced. */
export function applyOverrides(value: unknown, overrides: readonly Override[]): unknown {
  return overrides.reduce((whole, { path, value: next }) => withValue(whole, path, next), value);
}

function withValue(whole: unknown, [key, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (key === undefined) return value;
  if (typeof key === "number") {
    const list: unknown[] = Array.isArray(whole) ? [...(whole as unknown[])] : [];
    list[key] = withValue(list[key], rest, value);
    return list;
  }
  const mapping = typeof whole === "object" && whole !== null && !Array.isArray(whole) ? whole : {};
  return { ...mapping, [key]: withValue(Reflect.get(mapping, key), rest, value) };
}
