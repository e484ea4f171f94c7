import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { defaultConfigFile } from "../config/default-config-file.ts";
import { parseListenAddress } from "../admin/parse-listen-address.ts";
import { UsageError } from "../usage-error.ts";
import type { AdminClientOptions } from "./admin-client.ts";

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
    tokenFile === undefined ? (environment["DORMOUSE_TOKEN"] ?? written.token) : await readTokenFile(tokenFile);
  return { url: url === undefined ? (written.url ?? defaultUrl) : checkUrl(url), token };
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`"${text}" is no URL of a host; write for example ${defaultUrl}`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

async function readTokenFile(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw new UsageError(
      `the token file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

interface WrittenAdmin {
  readonly url?: string;
  readonly token?: string;
}

async function readAdmin(file: string, environment: FindAdminOptions["environment"]): Promise<WrittenAdmin> {
  const admin = await readAdminSection(file);
  const listen = environment["DORMOUSE_ADMIN_LISTEN"] ?? admin.listen;
  const url = typeof listen === "string" && /:\d+$/.test(listen) ? toUrl(listen) : undefined;
  const token = await readToken(admin.token, dirname(resolve(file)), environment);
  return { ...(url !== undefined && { url }), ...(token !== undefined && { token }) };
}

async function readAdminSection(file: string): Promise<{ readonly listen?: unknown; readonly token?: unknown }> {
  try {
    const config = parse(await readFile(file, "utf8")) as { readonly admin?: unknown } | null;
    return typeof config?.admin === "object" && config.admin !== null ? config.admin : {};
  } catch {
    return {};
  }
}

/** A host that listens everywhere is asked on this machine. */
function toUrl(listen: string): string {
  const { host, port } = parseListenAddress(listen);
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

async function readToken(
  reference: unknown,
  folder: string,
  environment: FindAdminOptions["environment"],
): Promise<string | undefined> {
  if (typeof reference !== "object" || reference === null) return undefined;
  const { env, file } = reference as { readonly env?: unknown; readonly file?: unknown };
  if (typeof env === "string") return environment[env];
  return typeof file === "string" ? readTokenFile(resolve(folder, file)) : undefined;
}
