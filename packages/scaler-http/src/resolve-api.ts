import type { LocalRef, Milliseconds } from "@dormouse/core";
import { fillPlainTemplate, fillTemplate, headersOf, JsonPath, type Retries, retriesSchema } from "@dormouse/http-json";
import { fillIndex } from "./fill-body.ts";
import type { HttpOptions, PartialApi, ResourceSpec } from "./http-options.ts";

/** Where instances take requests, with paths compiled. */
export type ResolvedTargets =
  | { readonly kind: "ordered"; readonly addressOf: (index: number) => string | undefined }
  | {
      readonly kind: "reported";
      readonly addresses: JsonPath;
      readonly ids: JsonPath | undefined;
      readonly port: number | undefined;
    };

/** Everything about one resource's API, the resource's own keys over the top's over the defaults. */
export interface Api {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: {
    readonly method: "GET" | "POST";
    readonly path: string;
    readonly body: unknown;
    readonly success: readonly number[] | undefined;
    readonly replicas: JsonPath;
    readonly ready: JsonPath | undefined;
    readonly wakeReplicas: JsonPath | undefined;
    readonly failure: JsonPath | undefined;
  };
  readonly scale: {
    readonly method: "PUT" | "POST" | "PATCH";
    readonly path: string;
    readonly body: unknown;
    readonly contentType: string;
    readonly success: readonly number[] | undefined;
  };
  readonly minimum: number;
  readonly timeoutMs: Milliseconds;
  readonly mostBytes: number;
  readonly retries: Retries;
  readonly stopGraceMs: Milliseconds;
  readonly targets: ResolvedTargets | undefined;
  /** The same for the same way to find them. */
  readonly targetsKey: string;
}

/** The ScaleIt protocol: `GET /app/status` tells `{"cpu":{"highPriority":0.68},"replicas":10}`, `PUT /app/replicas` takes `{"replicas":11}`. */
const defaults = {
  status: { method: "GET", path: "/app/status", replicas: "$.replicas" },
  scale: { method: "PUT", path: "/app/replicas", body: { replicas: "{{replicas}}" }, contentType: "application/json" },
  minimum: 1,
  timeout: 3_000,
  mostBytes: 1024 * 1024,
  stopGrace: 0,
} as const;

/** Puts a resource's API together. The options have been checked: there is a URL. */
export function resolveApi(options: HttpOptions, resource: ResourceSpec): Api {
  const given = merge(options, resource);
  const status = { ...defaults.status, ...definedOf(options.status), ...definedOf(resource.status) };
  const scale = { ...defaults.scale, ...definedOf(options.scale), ...definedOf(resource.scale) };
  const path = (text: string): JsonPath => new JsonPath(fillPlainTemplate(text, resource));
  const optional = (text: string | undefined): JsonPath | undefined => (text === undefined ? undefined : path(text));
  return {
    url: new URL(fillTemplate(given.url ?? "", resource)),
    headers: headersOf(given),
    status: {
      method: status.method,
      path: fillTemplate(status.path, resource),
      body: status.body,
      success: status.success,
      replicas: path(status.replicas),
      ready: optional(status.ready),
      wakeReplicas: optional(status.wakeReplicas),
      failure: optional(status.failure),
    },
    scale: { success: undefined, ...scale },
    minimum: given.minimum ?? defaults.minimum,
    timeoutMs: given.timeout ?? defaults.timeout,
    mostBytes: given.mostBytes ?? defaults.mostBytes,
    retries: given.retries ?? retriesSchema.parse({}),
    stopGraceMs: given.stopGrace ?? defaults.stopGrace,
    targets: resolveTargets(given.targets, resource, path),
    targetsKey: JSON.stringify([given.targets, given.stopGrace]),
  };
}

/** Headers are joined; credentials of a resource replace those of the top, whatever their kind. */
function merge(options: HttpOptions, resource: ResourceSpec): PartialApi {
  const hasOwn = resource.token !== undefined || resource.basicAuth !== undefined;
  const { token, basicAuth } = hasOwn ? resource : options;
  return { ...options, ...definedOf(resource), headers: { ...options.headers, ...resource.headers }, token, basicAuth };
}

function resolveTargets(
  targets: PartialApi["targets"],
  ref: LocalRef,
  path: (text: string) => JsonPath,
): ResolvedTargets | undefined {
  if (targets === undefined) return undefined;
  if (Array.isArray(targets)) return { kind: "ordered", addressOf: (index) => targets[index] };
  if (typeof targets === "string")
    return { kind: "ordered", addressOf: (index) => fillTemplate(fillIndex(targets, index), ref) };
  const { addresses, ids, port } = targets;
  return { kind: "reported", addresses: path(addresses), ids: ids === undefined ? undefined : path(ids), port };
}

/** The API's URL with a path below its own. */
export function urlBelow(base: URL, path: string): URL {
  const url = new URL(base);
  const [own = "", query] = path.split(/\?(.*)/s);
  url.pathname = `${base.pathname.replace(/\/$/, "")}${own}`;
  if (query !== undefined) url.search = base.search === "" ? query : `${base.search.slice(1)}&${query}`;
  return url;
}

/** The keys that say something. */
function definedOf<Part extends object>(
  part: Part | undefined,
): { [Key in keyof Part]: Exclude<Part[Key], undefined> } {
  const entries = Object.entries(part ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Part]: Exclude<Part[Key], undefined> };
}
