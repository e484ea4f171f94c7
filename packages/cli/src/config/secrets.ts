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

/** Certificate, key and authorities of the admin API, each in PEM. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

/** A configuration's secrets in the place of their references. */
export interface ResolvedSecrets {
  readonly adminToken: string | undefined;
  readonly adminTls: TlsMaterial | undefined;
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
  const adminTls = config.admin.tls === undefined ? undefined : readTls(config.admin.tls, resolver);
  const plugins = [
    ...config.scalers.map((plugin, index) => ({ plugin, place: `scalers[${index}].options` })),
    ...config.autoscaler.metrics.map((plugin, index) => ({ plugin, place: `autoscaler.metrics[${index}].options` })),
    ...config.dlx.routes.map((plugin, index) => ({ plugin, place: `dlx.routes[${index}].options` })),
    ...clusterPlugins(config),
  ];
  const options = new Map(plugins.map(({ plugin, place }) => [place, resolver.replace(plugin.options, place, false)]));
  if (resolver.issues.length > 0) throw new ConfigError(resolver.issues);
  return {
    adminToken,
    adminTls,
    optionsAt: (place, raw) => (options.has(place) ? options.get(place) : raw),
    values: resolver.values,
  };
}

/**
 * Reads only what the admin API serves TLS with; undefined where it serves none.
 * @throws ConfigError that names what is not set or cannot be read
 */
export function resolveTls({ admin }: DormouseConfig, origins: SecretOrigins): TlsMaterial | undefined {
  if (admin.tls === undefined) return undefined;
  const resolver = new SecretResolver(origins);
  const material = readTls(admin.tls, resolver);
  if (material === undefined) throw new ConfigError(resolver.issues);
  return material;
}

/** Undefined where something is missing: the resolver has its issues then. */
function readTls(tls: NonNullable<DormouseConfig["admin"]["tls"]>, resolver: SecretResolver): TlsMaterial | undefined {
  const cert = resolver.readPublic(tls.cert, "admin.tls.cert");
  const key = resolver.read(tls.key, "admin.tls.key");
  const ca = tls.ca === undefined ? "" : resolver.readPublic(tls.ca, "admin.tls.ca");
  if (cert === undefined || key === undefined || ca === undefined) return undefined;
  return { cert, key, ...(ca !== "" && { ca }) };
}

function clusterPlugins({ cluster }: DormouseConfig) {
  return (["peers", "leader"] as const).flatMap((kind) => {
    const plugin = cluster[kind];
    return plugin === undefined ? [] : [{ plugin, place: `cluster.${kind}.options` }];
  });
}

class SecretResolver {
  readonly #origins: SecretOrigins;
  readonly issues: ConfigIssue[] = [];
  readonly values = new Set<string>();

  constructor(origins: SecretOrigins) {
    this.#origins = origins;
  }

  read(reference: SecretReference, place: string): string | undefined {
    const found = this.readPublic(reference, place);
    if (found !== undefined) this.values.add(found);
    return found;
  }

  /** The same for what anybody may see, such as a certificate. */
  readPublic(reference: SecretReference, place: string): string | undefined {
    const found = "env" in reference ? this.#readVariable(reference.env) : this.#readFile(reference.file);
    if (typeof found === "string") return found;
    this.issues.push({ place, ...found });
    return undefined;
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
