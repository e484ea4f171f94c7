import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError, type ConfigIssue, type DormouseConfig, type SecretReference } from "@dormouse/core";

/** A longer file is taken for a mistake. */
const mostBytes = 65_536;

/** Keys under which `{ env: NAME }` and `{ file: PATH }` in a plugin's options mean a secret, in any case and with any beginning. */
const secretKey =
  /(?:token|password|passwd|passphrase|secret|api[-_]?key|access[-_]?key|private[-_]?key|credentials?|authorization|cookie)$/i;

/** Whether what stands under this key is a secret: `token`, `bearerToken`, `DB_PASSWORD`, `apiKey`, `authorization`, … */
export function isSecretKey(key: string): boolean {
  return secretKey.test(key);
}

export interface SecretOrigins {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths start from. */
  readonly folder: string;
}

/** A configuration's secrets in the place of their references. */
export interface ResolvedSecrets {
  readonly adminToken: string | undefined;
  /** The plugins' options with every reference replaced; the key is the place, such as `scalers[0].options`. */
  optionsAt(place: string, options: unknown): unknown;
  /** Every value found, to keep them out of logs. */
  readonly values: ReadonlySet<string>;
}

/**
 * Reads every secret that a configuration refers to.
 * @throws ConfigError that names every variable that is not set and every file that cannot be read
 */
export function resolveSecrets(config: DormouseConfig, origins: SecretOrigins): ResolvedSecrets {
  const resolver = new SecretResolver(origins);
  const adminToken = config.admin.token === undefined ? undefined : resolver.read(config.admin.token, "admin.token");
  const plugins = [
    ...config.scalers.map((plugin, index) => ({ plugin, place: `scalers[${index}].options` })),
    ...config.autoscaler.metrics.map((plugin, index) => ({ plugin, place: `autoscaler.metrics[${index}].options` })),
    ...config.dlx.routes.map((plugin, index) => ({ plugin, place: `dlx.routes[${index}].options` })),
  ];
  const options = new Map(plugins.map(({ plugin, place }) => [place, resolver.replace(plugin.options, place, false)]));
  if (resolver.issues.length > 0) throw new ConfigError(resolver.issues);
  return {
    adminToken,
    optionsAt: (place, raw) => (options.has(place) ? options.get(place) : raw),
    values: resolver.values,
  };
}

class SecretResolver {
  readonly #origins: SecretOrigins;
  readonly issues: ConfigIssue[] = [];
  readonly values = new Set<string>();

  constructor(origins: SecretOrigins) {
    this.#origins = origins;
  }

  read(reference: SecretReference, place: string): string | undefined {
    const found = "env" in reference ? this.#readVariable(reference.env) : this.#readFile(reference.file);
    if (typeof found === "string") this.values.add(found);
    else this.issues.push({ place, ...found });
    return typeof found === "string" ? found : undefined;
  }

  /** A copy with the references under secret keys replaced; everything else as it is. */
  replace(value: unknown, place: string, isSecret: boolean): unknown {
    if (Array.isArray(value)) return value.map((entry, index) => this.replace(entry, `${place}[${index}]`, isSecret));
    if (typeof value !== "object" || value === null) {
      if (isSecret && typeof value === "string") this.values.add(value);
      return value;
    }
    if (isSecret && isSecretReference(value)) return this.read(value, place);
    const entries = Object.entries(value).map(
      ([key, inner]) => [key, this.replace(inner, `${place}.${key}`, isSecret || isSecretKey(key))] as const,
    );
    return Object.fromEntries(entries);
  }

  #readVariable(name: string): string | Omit<ConfigIssue, "place"> {
    const value = this.#origins.environment[name];
    return value === undefined || value === ""
      ? { problem: `the variable ${name} is not set`, mend: `start with ${name}=… in the environment` }
      : value;
  }

  #readFile(path: string): string | Omit<ConfigIssue, "place"> {
    try {
      const text = readFileSync(resolve(this.#origins.folder, path), "utf8").replace(/\r?\n$/, "");
      if (text !== "" && text.length <= mostBytes) return text;
      return {
        problem: text === "" ? `the file ${path} is empty` : `the file ${path} is longer than a secret can be`,
        mend: "write the secret alone into it",
      };
    } catch (error) {
      const code = error instanceof Error ? String(Reflect.get(error, "code")) : String(error);
      return {
        problem: `the file ${path} cannot be read (${code})`,
        mend: "paths are relative to the configuration file; check the path and its permissions",
      };
    }
  }
}

/** Whether a value says where a secret is, instead of being one. */
export function isSecretReference(value: object): value is SecretReference {
  const keys = Object.keys(value);
  return (
    keys.length === 1 && (keys[0] === "env" || keys[0] === "file") && typeof Reflect.get(value, keys[0]) === "string"
  );
}
