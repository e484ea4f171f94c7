import { createHmac, randomUUID } from "node:crypto";
import type { Clock } from "@dormouse/core";
import { type FakeDelays, FakeGroup, type FakeOperation, type FakeSpec } from "./fake-group.ts";
import { startLoopbackServer, type StartGroupServer } from "./group-servers.ts";
import { RateLimit } from "./rate-limit.ts";

/** A request as the fake sees it. */
export interface FakeRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly authorization: string | undefined;
}

/** What it answers. `hang`: nothing; `reset`: the connection breaks; `truncate`: half of the body. */
export interface FakeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly fault?: "hang" | "reset" | "truncate";
  /** Sent as it is, in place of JSON. */
  readonly text?: string;
}

/** Something that goes wrong: the answer in place of the true one. */
export type Fault = (request: FakeRequest) => FakeAnswer | undefined;

export interface FakeArmOptions {
  readonly clock: Clock;
  readonly subscription: string;
  readonly delays?: Partial<FakeDelays>;
  readonly startServer?: StartGroupServer;
  /** Whether a token is a good one. */
  readonly accepts: (authorization: string | undefined) => boolean;
  /** Groups of one page of a list. */
  readonly pageSize?: number;
  /** Times as many requests as the real one takes; left out: 1. */
  readonly generosity?: number;
}

const groupPath =
  /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.ContainerInstance\/containerGroups\/([^/]+)(?:\/(start|stop))?$/i;
const listPath =
  /^\/subscriptions\/([^/]+)(?:\/resourceGroups\/([^/]+))?\/providers\/Microsoft\.ContainerInstance\/containerGroups$/i;
const operationPath =
  /^\/subscriptions\/([^/]+)\/providers\/Microsoft\.ContainerInstance\/locations\/westeurope\/operations\/([^/]+)$/i;

/** Versions that the fake knows: that of the SDK, and that of operations. */
const apiVersion = "2023-05-01";
const operationVersion = "2018-06-01";

/** A signature as long as the real ones, which many servers would refuse. */
const signatureBytes = 2_400;

/**
 * A resource manager with container groups, as far as this scaler uses it: its order of states, its delays, its odd
 * answers. It has no network of its own; `serveFakeArm` puts it behind TLS.
 */
export class FakeArm implements AsyncDisposable {
  readonly groups = new Map<string, FakeGroup>();
  readonly requests: FakeRequest[] = [];
  /** Where links lead to; set by whoever serves it. */
  origin = "https://localhost";
  /** Where operations are said to be; undefined: at the origin. */
  operationOrigin: string | undefined;
  faults: Fault[] = [];
  /** Called with each answer. */
  onAnswer: (answer: FakeAnswer) => void = () => {};
  readonly #options: FakeArmOptions;
  readonly #operations = new Map<string, { readonly operation: FakeOperation; readonly group: FakeGroup }>();
  readonly #secret = randomUUID();
  readonly #limits: Readonly<Record<"reads" | "writes", RateLimit>>;

  constructor(options: FakeArmOptions) {
    this.#options = options;
    const { clock, generosity = 1 } = options;
    this.#limits = {
      reads: new RateLimit(clock, 250 * generosity, 25 * generosity),
      writes: new RateLimit(clock, 200 * generosity, 10 * generosity),
    };
  }

  /** Adds a stopped group. */
  add(resourceGroup: string, name: string, spec: Partial<FakeSpec> & Pick<FakeSpec, "port">): FakeGroup {
    const { clock, subscription, delays, startServer } = this.#options;
    const path = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.ContainerInstance/containerGroups/${name}`;
    const written: FakeSpec = {
      tags: { "dormouse-enabled": "true", "cost-center": "42" },
      image: "app:1",
      restartPolicy: "Always",
      ...spec,
    };
    const group = new FakeGroup(path, written, {
      clock,
      delays: { start: 60, restart: 40, ...delays },
      startServer: startServer ?? startLoopbackServer,
    });
    this.groups.set(path.toLowerCase(), group);
    return group;
  }

  remove(group: FakeGroup): void {
    this.groups.delete(group.path.toLowerCase());
  }

  putBack(group: FakeGroup): void {
    this.groups.set(group.path.toLowerCase(), group);
  }

  /** Requests by what they ask for: `list`, `get`, `start`, `stop`, `operation`. */
  count(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const request of this.requests) counts[kindOf(request)] = (counts[kindOf(request)] ?? 0) + 1;
    return counts;
  }

  async handle(request: FakeRequest): Promise<FakeAnswer> {
    this.requests.push(request);
    const answer = await this.#limited(request);
    this.onAnswer(answer);
    return answer;
  }

  async #limited(request: FakeRequest): Promise<FakeAnswer> {
    for (const fault of this.faults) {
      const answer = fault(request);
      if (answer !== undefined) return answer;
    }
    if (!this.#options.accepts(request.authorization))
      return problem(401, "InvalidAuthenticationToken", "The access token is invalid.");
    const kind = request.method === "GET" ? "reads" : "writes";
    const { remaining, retryAfterSeconds } = this.#limits[kind].take();
    if (retryAfterSeconds > 0)
      return {
        ...problem(429, "SubscriptionRequestsThrottled", "Number of requests exceeded the limit."),
        headers: { "Retry-After": String(retryAfterSeconds) },
      };
    const answer = await this.#answer(request);
    return {
      ...answer,
      headers: { ...answer.headers, [`x-ms-ratelimit-remaining-subscription-${kind}`]: String(remaining) },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.groups.values()].map((group) => group.close()));
  }

  async #answer({ method, target }: FakeRequest): Promise<FakeAnswer> {
    const { pathname, searchParams } = new URL(target, this.origin);
    const operation = operationPath.exec(pathname);
    if (operation !== null) return this.#operation(target, operation[2] ?? "");
    if (searchParams.get("api-version") !== apiVersion)
      return problem(400, "InvalidApiVersionParameter", "The api-version is not known.");
    const list = listPath.exec(pathname);
    if (list !== null && method === "GET") return this.#list(pathname, list[2], Number(searchParams.get("$skip") ?? 0));
    const [, , , , action] = groupPath.exec(pathname) ?? [];
    const group = this.groups.get(
      decodeURIComponent(pathname)
        .toLowerCase()
        .replace(/\/(start|stop)$/, ""),
    );
    if (group === undefined) return problem(404, "ResourceNotFound", `The Resource '${pathname}' was not found.`);
    if (method === "GET" && action === undefined) return { status: 200, body: group.toAnswer() };
    if (method === "POST" && action === "start") return this.#start(group);
    if (method === "POST" && action === "stop") return this.#stop(group);
    return problem(405, "MethodNotAllowed", "The requested resource does not support this method.");
  }

  #start(group: FakeGroup): FakeAnswer {
    const operation = group.start(randomUUID());
    if (operation === undefined) return { status: 204 };
    this.#operations.set(operation.id, { operation, group });
    return { status: 202, headers: { "Azure-AsyncOperation": this.#operationUrl(operation.id) } };
  }

  async #stop(group: FakeGroup): Promise<FakeAnswer> {
    if (group.isTransitioning)
      return problem(
        409,
        "ContainerGroupTransitioning",
        `The container group '${group.name}' is still transitioning, please retry later.`,
      );
    await group.stop();
    return { status: 204 };
  }

  #list(path: string, resourceGroup: string | undefined, skip: number): FakeAnswer {
    const { pageSize = 100 } = this.#options;
    const within = [...this.groups.values()].filter(
      (group) => resourceGroup === undefined || group.path.toLowerCase().includes(`/${resourceGroup.toLowerCase()}/`),
    );
    const value = within.slice(skip, skip + pageSize).map((group) => group.toEntry());
    const next = `${this.origin}${path}?api-version=${apiVersion}&$skip=${skip + pageSize}`;
    return { status: 200, body: { value, ...(skip + pageSize < within.length && { nextLink: next }) } };
  }

  #operation(target: string, id: string): FakeAnswer {
    const known = this.#operations.get(id);
    if (known === undefined) return problem(404, "ResourceNotFound", "The operation was not found.");
    const isIntact = `${this.operationOrigin ?? this.origin}${target}` === this.#operationUrl(id);
    if (!isIntact) return problem(400, "InvalidSignature", "The signature does not fit.");
    const { operation, group } = known;
    return {
      status: 200,
      body: {
        id: group.path,
        status: operation.status,
        startTime: new Date(operation.startedAt).toISOString(),
        properties: { events: [] },
        ...(operation.error !== undefined && { error: operation.error }),
      },
    };
  }

  #operationUrl(id: string): string {
    const { subscription } = this.#options;
    const path = `/subscriptions/${subscription}/providers/Microsoft.ContainerInstance/locations/westeurope/operations/${id}`;
    const digest = createHmac("sha256", this.#secret).update(path).digest("base64url");
    const signature = digest.repeat(Math.ceil(signatureBytes / digest.length)).slice(0, signatureBytes);
    return `${this.operationOrigin ?? this.origin}${path}?api-version=${operationVersion}&t=638900000000000000&c=MIIH&s=${signature}&h=${digest}`;
  }
}

/** An error in the resource manager's form. */
export function problem(status: number, code: string, message: string): FakeAnswer {
  return { status, body: { error: { code, message } } };
}

/** What a request asks for. */
export function kindOf({ method, target }: Pick<FakeRequest, "method" | "target">): string {
  const path = target.split("?")[0] ?? "";
  if (operationPath.test(path)) return "operation";
  if (listPath.test(path)) return "list";
  return groupPath.exec(path)?.[4] ?? method.toLowerCase();
}
