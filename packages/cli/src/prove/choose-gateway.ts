import { isIP } from "node:net";
import type { Entrance } from "../admin/why-report.ts";
import { parseListenAddress } from "../admin/parse-listen-address.ts";
import { UsageError } from "../usage-error.ts";

/** Where requests are sent to, and what gets them to their resource. */
export interface Gateway {
  /** `http://127.0.0.1:8080`. */
  readonly origin: string;
  /** Value of `Host`. */
  readonly host: string;
  /** `{id}` in it stands for a request's id. */
  readonly path: string;
  /** The same in their values. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the command line says of it. */
export interface GatewayWishes {
  readonly to?: string | undefined;
  readonly host?: string | undefined;
  readonly path?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The way in that a host reports of a resource, with what the command line wants otherwise.
 * @param adminUrl where the host was asked; a DLX that listens everywhere is reached at the same name
 * @throws UsageError where there is none, or none that can be reached from here
 */
export function chooseGateway(entrances: readonly Entrance[], wishes: GatewayWishes, adminUrl: string): Gateway {
  const entrance = entrances.find(({ host }) => host === wishes.host && host !== undefined) ?? entrances[0];
  const origin = wishes.to === undefined ? originOf(entrance, new URL(adminUrl).hostname) : parseOrigin(wishes.to);
  return {
    origin,
    host: wishes.host ?? hostOf(origin, entrance, wishes.to !== undefined),
    path: checkPath(wishes.path ?? entrance?.path ?? "/"),
    headers: { ...entrance?.headers, ...wishes.headers },
  };
}

function parseOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`--to "${text}" is no URL; write for example http://127.0.0.1:8080`);
  }
  if (url.pathname !== "/" || url.search !== "") throw new UsageError(`--to "${text}" has a path; give that as --path`);
  return url.origin;
}

function originOf(entrance: Entrance | undefined, adminHost: string): string {
  if (entrance === undefined) {
    throw new UsageError(
      "the host reports no route that leads to it; give its policy hosts, pathPrefix or listen, or say by --to URL and --host NAME how to get there",
    );
  }
  const { host, port } = parseListenAddress(entrance.listen);
  const isAnywhere = host === "0.0.0.0" || host === "::";
  if (isLoopback(host) && !isLoopback(adminHost.replace(/^\[|\]$/g, ""))) {
    throw new UsageError(
      `its entrance ${entrance.listen} can be reached on the host's own machine only; give another by --to URL`,
    );
  }
  return `http://${isAnywhere ? adminHost : host.includes(":") ? `[${host}]` : host}:${port}`;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** A name in `--to` is meant; an address says nothing, so that the route's host is taken. */
function hostOf(origin: string, entrance: Entrance | undefined, isWished: boolean): string {
  const { hostname, host } = new URL(origin);
  const isName = isIP(hostname.replace(/^\[|\]$/g, "")) === 0 && hostname !== "localhost";
  if (entrance?.host === undefined || (isWished && isName)) return host;
  return entrance.host.replace(/^\*/, "prove");
}

function checkPath(path: string): string {
  if (!path.startsWith("/")) throw new UsageError(`--path "${path}" is none; begin it with "/"`);
  return path;
}
