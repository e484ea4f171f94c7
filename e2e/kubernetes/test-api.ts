import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Agent, fetch } from "undici";
import { parse } from "yaml";

/** What an API server answered instead of what was asked for. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  /** HTTP status, for example 409. */
  readonly status: number;
  /** The server's word for it, for example `AlreadyExists`; empty where it gave none. */
  readonly reason: string;

  constructor(what: string, status: number, text: string) {
    super(`${what}: ${String(status)} ${text.slice(0, 2_000)}`);
    this.status = status;
    this.reason = /"reason":\s*"(\w+)"/.exec(text)?.[1] ?? "";
  }
}

/** What every object of Kubernetes has. */
export interface ObjectMeta {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
}

/** An object of Kubernetes. */
export interface ApiObject {
  readonly metadata: ObjectMeta;
}

/** What a list path answers. */
export interface ApiList<Item = ApiObject> {
  readonly items: readonly Item[];
}

/** A Pod, as far as the helpers look at it. */
export interface PodObject extends ApiObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly name: string; readonly image: string }[];
  };
  readonly status: { readonly phase: string; readonly podIP?: string };
}

/** How a patch is meant. */
export type PatchKind = "merge" | "strategic-merge" | "json";

/**
 * Plain access to an API server, which shares no code with what is tested. Paths as `/api/v1/namespaces/x/pods`. Callers
 * say what they expect to be answered; nothing checks it.
 */
export interface TestApi extends AsyncDisposable {
  /** URL of the server, without a slash at the end. */
  readonly url: string;
  /** @throws ApiFailure where the server answers with anything but 2xx, as all of these */
  get<Answer = ApiObject>(path: string): Promise<Answer>;
  post<Answer = ApiObject>(path: string, body: object): Promise<Answer>;
  put<Answer = ApiObject>(path: string, body: object): Promise<Answer>;
  /** @param kind `merge` unless given */
  patch<Answer = ApiObject>(path: string, body: object, kind?: PatchKind): Promise<Answer>;
  /** Says whether there was anything to delete. */
  delete(path: string): Promise<boolean>;
}

interface Kubeconfig {
  readonly "current-context": string;
  readonly contexts: readonly {
    readonly name: string;
    readonly context: { readonly cluster: string; readonly user: string };
  }[];
  readonly clusters: readonly { readonly name: string; readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly name: string; readonly user: Readonly<Record<string, string>> }[];
}

/**
 * Access by the current context of a kubeconfig, with a token or a client certificate.
 *
 * @param token instead of what the file says about the user
 * @throws Error where the file says that a program has to be asked for access, which is not supported
 */
export function openTestApi(kubeconfig: string, token?: string): TestApi {
  const config = parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
  const context = named(config.contexts, config["current-context"]).context;
  const cluster = named(config.clusters, context.cluster).cluster;
  const user = named(config.users, context.user).user;
  if (token === undefined && ("exec" in user || "auth-provider" in user)) {
    throw new Error(`${kubeconfig}: tests get in by a token or a client certificate, not by a program`);
  }
  const read = (entry: Readonly<Record<string, string>>, field: string): string | Buffer | undefined => {
    const data = entry[`${field}-data`];
    if (data !== undefined) return Buffer.from(data, "base64");
    return entry[field] === undefined ? undefined : readFileSync(resolve(dirname(kubeconfig), entry[field]));
  };
  const usesCertificate = token === undefined;
  const agent = new Agent({
    connect: {
      ca: read(cluster, "certificate-authority"),
      rejectUnauthorized: String(cluster["insecure-skip-tls-verify"]) !== "true",
      ...(usesCertificate && { cert: read(user, "client-certificate"), key: read(user, "client-key") }),
    },
  });
  const url = String(cluster["server"]).replace(/\/$/, "");
  const bearer = token ?? user["token"];
  const authorization: Readonly<Record<string, string>> =
    bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };

  const ask = async <Answer>(
    method: string,
    path: string,
    body?: object,
    type = "application/json",
  ): Promise<Answer> => {
    const answer = await fetch(`${url}${path}`, {
      method,
      dispatcher: agent,
      headers: { ...authorization, ...(body !== undefined && { "content-type": type }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new ApiFailure(`${method} ${path}`, answer.status, text);
    const isJson = answer.headers.get("content-type")?.startsWith("application/json") === true;
    return (isJson ? JSON.parse(text) : text) as Answer;
  };

  return {
    url,
    get: (path) => ask("GET", path),
    post: (path, body) => ask("POST", path, body),
    put: (path, body) => ask("PUT", path, body),
    patch: (path, body, kind = "merge") =>
      ask("PATCH", path, body, `application/${kind === "json" ? "json-patch" : `${kind}-patch`}+json`),
    delete: async (path) => {
      try {
        await ask("DELETE", path);
        return true;
      } catch (error) {
        if (error instanceof ApiFailure && error.status === 404) return false;
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

function named<Entry extends { readonly name: string }>(entries: readonly Entry[], name: string): Entry {
  const entry = entries.find((each) => each.name === name);
  if (entry === undefined) throw new Error(`the kubeconfig names ${name} and does not say what it is`);
  return entry;
}
