import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { defaultConfigFile } from "../config/default-config-file.ts";
import { parseListenAddress } from "../admin/parse-listen-address.ts";
import { UsageError } from "../usage-error.ts";
import type { AdminClientOptions } from "./admin-client.ts";
import type { ClientTls } from "./client-tls.ts";

/** What the command line and the environment say of the host to talk to. */
export interface FindAdminOptions {
  readonly admin?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly config?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Where a host listens whose configuration says nothing. */
const defaultUrl = "http://127.0.0.1:8081";

/**
 * Address and token of the host that a command means: by flag, else by environment, else by the configuration file, else
 * the default address. A file that is broken otherwise serves as well: `why` must work when a change to it was refused.
 *
 * @throws UsageError for an address that is no URL, and for a token file that cannot be read
 */
export async function findAdmin(options: FindAdminOptions): Promise<AdminClientOptions> {
  const { environment } = options;
  const file = options.config ?? environment["DORMOUSE_CONFIG"] ?? defaultConfigFile;
  const written = await readAdmin(file, environment);
  const url = options.admin ?? environment["DORMOUSE_ADMIN"];
  const tokenFile = options.tokenFile ?? environment["DORMOUSE_TOKEN_FILE"];
  const token =
    tokenFile === undefined
      ? (environment["DORMOUSE_TOKEN"] ?? written.token)
      : await readSecretFile(tokenFile, "token");
  const { tls } = written;
  return {
    url: url === undefined ? (written.url ?? defaultUrl) : checkUrl(url),
    token,
    ...(tls !== undefined && { tls }),
  };
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`"${text}" is no URL of a host; write for example ${defaultUrl}`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

async function readSecretFile(file: string, what = "secret"): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw new UsageError(
      `the ${what} file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

interface WrittenAdmin {
  readonly url?: string;
  readonly token?: string;
  readonly tls?: ClientTls;
}

async function readAdmin(file: string, environment: FindAdminOptions["environment"]): Promise<WrittenAdmin> {
  const admin = await readAdminSection(file);
  const listen = environment["DORMOUSE_ADMIN_LISTEN"] ?? admin.listen;
  const isTls = typeof admin.tls === "object" && admin.tls !== null;
  const url = typeof listen === "string" && /:\d+$/.test(listen) ? toUrl(listen, isTls ? "https" : "http") : undefined;
  const folder = dirname(resolve(file));
  const token = await readSecret(admin.token, folder, environment);
  const tls = isTls ? await readTls(admin.tls, folder, environment) : undefined;
  return {
    ...(url !== undefined && { url }),
    ...(token !== undefined && { token }),
    ...(tls !== undefined && { tls }),
  };
}

/** What the host shows itself with is shown to it: its own certificate, signed by the authority that it asks for. */
async function readTls(
  written: object,
  folder: string,
  environment: FindAdminOptions["environment"],
): Promise<ClientTls> {
  // Who may not read the key still has the token.
  const read = (name: string): Promise<string | undefined> =>
    readSecret(Reflect.get(written, name), folder, environment).catch(() => undefined);
  const [cert, key, ca] = await Promise.all(["cert", "key", "ca"].map(read));
  const serverName: unknown = Reflect.get(written, "serverName");
  return {
    ...(cert !== undefined && key !== undefined && { cert, key }),
    ...(ca !== undefined && { ca }),
    ...(typeof serverName === "string" && { serverName }),
  };
}

interface AdminSection {
  readonly listen?: unknown;
  readonly token?: unknown;
  readonly tls?: unknown;
}

async function readAdminSection(file: string): Promise<AdminSection> {
  try {
    const config = parse(await readFile(file, "utf8")) as { readonly admin?: unknown } | null;
    return typeof config?.admin === "object" && config.admin !== null ? config.admin : {};
  } catch {
    return {};
  }
}

/** A host that listens everywhere is asked on this machine. */
function toUrl(listen: string, protocol: "http" | "https"): string {
  const { host, port } = parseListenAddress(listen);
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${protocol}://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

async function readSecret(
  reference: unknown,
  folder: string,
  environment: FindAdminOptions["environment"],
): Promise<string | undefined> {
  if (typeof reference !== "object" || reference === null) return undefined;
  const { env, file } = reference as { readonly env?: unknown; readonly file?: unknown };
  if (typeof env === "string") return environment[env];
  return typeof file === "string" ? readSecretFile(resolve(folder, file)) : undefined;
}
