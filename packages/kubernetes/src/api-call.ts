/** One call of the API as rules of RBAC name it: for messages, and to tell writes from reads. */
export interface ApiCall {
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`. */
  readonly verb: string;
  /** Empty for the core group; undefined where the path is no resource's (`/version`). */
  readonly group: string | undefined;
  /** With its subresource: `pods`, `pods/status`. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly path: string;
  /** Whether it may change something. */
  readonly writes: boolean;
}

const verbs: Readonly<Record<string, string>> = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

/**
 * What a request asks for (https://kubernetes.io/docs/reference/using-api/api-concepts/).
 * @param path without its query, for example `/apis/apps/v1/namespaces/shop/deployments/web`
 */
export function toApiCall(method: string, path: string, query: Readonly<Record<string, unknown>> = {}): ApiCall {
  const parts = path.split("/").filter((part) => part !== "");
  const writes = method !== "GET" && method !== "HEAD";
  const [group, ...rest] = parts[0] === "api" ? ["", ...parts.slice(2)] : [parts[1], ...parts.slice(3)];
  const isResource = (parts[0] === "api" || parts[0] === "apis") && rest.length > 0;
  if (!isResource)
    return {
      verb: method.toLowerCase(),
      group: undefined,
      resource: path,
      namespace: undefined,
      name: undefined,
      path,
      writes,
    };
  const inNamespace = rest[0] === "namespaces" && rest.length > 2;
  const [plural = "", name, ...subresource] = inNamespace ? rest.slice(2) : rest;
  return {
    verb: verbOf(method, name, query),
    group,
    resource: [plural, ...subresource].join("/"),
    namespace: inNamespace ? rest[1] : undefined,
    name,
    path,
    writes,
  };
}

function verbOf(method: string, name: string | undefined, query: Readonly<Record<string, unknown>>): string {
  const verb = verbs[method];
  if (verb === "delete" && name === undefined) return "deletecollection";
  if (verb !== undefined) return verb;
  if (String(query["watch"]) === "true") return "watch";
  return name === undefined ? "list" : "get";
}

/** The call in words: `patch deployments.apps "web" in namespace "shop"`. */
export function describeCall({ verb, group, resource, namespace, name }: ApiCall): string {
  if (group === undefined) return `${verb} ${resource}`;
  const kind = group === "" ? resource : `${resource}.${group}`;
  const named = name === undefined ? "" : ` "${name}"`;
  return `${verb} ${kind}${named}${namespace === undefined ? " in all namespaces" : ` in namespace "${namespace}"`}`;
}

/** The RBAC rule that would allow the call, in the form of a Role or ClusterRole, and which of the two. */
export function describeRule({ verb, group, resource, namespace, path }: ApiCall): string {
  if (group === undefined) return `nonResourceURLs: ["${path}"], verbs: ["${verb}"] in a ClusterRole`;
  const rule = `apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]`;
  return `${rule} in a ${namespace === undefined ? "ClusterRole" : `Role of namespace "${namespace}"`}`;
}

/**
 * Path of a collection, or of one object in it.
 * @param groupVersion `v1` or `apps/v1`
 * @param namespace left out: across all namespaces, or a resource that is in none
 */
export function apiPath(
  groupVersion: string,
  plural: string,
  { namespace, name, subresource }: ApiPathParts = {},
): string {
  const root = groupVersion.includes("/") ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
  const scope = namespace === undefined ? [] : ["namespaces", namespace];
  const parts = [...scope, plural, name, subresource].filter((part) => part !== undefined);
  return [root, ...parts.map(encodeURIComponent)].join("/");
}

/** What further makes up a path. */
export interface ApiPathParts {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}
