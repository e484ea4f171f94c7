import { type ContainerGroup, ContainerInstanceManagementClient } from "@azure/arm-containerinstance";
import { createPipelineRequest, type HttpMethods, type PipelineResponse } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import type { Clock } from "@dormouse/core";
import { isScalerError, ScalerError } from "@dormouse/core";
import { type ArmAnswer, toAnswerError, toCallError, toProblem, toUnreadableError } from "./aci-error.ts";
import type { AciOptions } from "./aci-options.ts";
import type { ArmCall, ArmOperation } from "./arm-api.ts";
import type { BoundHttpClient } from "./bound-http-client.ts";
import { type GroupId, keyOf, type Scope, toArmPath } from "./group-id.ts";
import { untilAborted } from "./shared-call.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What an `ArmClient` needs. */
export interface ArmClientOptions {
  readonly subscription: string;
  readonly endpoint: string;
  readonly scope: string;
  readonly credential: TokenCredential;
  readonly httpClient: BoundHttpClient;
  readonly ca?: string | undefined;
  readonly requests: AciOptions["requests"];
  readonly clock: Clock;
}

/** States of an operation from which it does not go on. */
const terminal: readonly string[] = ["succeeded", "failed", "canceled"];

/** Pages of one list; more than 10,000 groups are taken for a loop. */
const mostPages = 200;

/** How long nothing is sent after a refusal for the rate that names no time. */
const pauseMs = 10_000;

type Kind = "reads" | "writes";

/** The part of the SDK's options for one call that is used. */
interface OperationOptions {
  readonly abortSignal?: AbortSignal;
  readonly onResponse: (answer: Pick<PipelineResponse, "headers">) => void;
}

/**
 * The resource manager of one subscription, by Azure's SDK. The SDK repeats nothing, so that each request is counted,
 * waits by the host's clock, and has an outcome of its own. Start and stop go through the SDK's pipeline directly: its
 * `beginStart` would follow the operation at once.
 */
export class ArmClient {
  readonly #options: ArmClientOptions;
  readonly #client: ContainerInstanceManagementClient;
  readonly #buckets: Readonly<Record<Kind, TokenBucket>>;

  constructor(options: ArmClientOptions) {
    const { credential, subscription, endpoint, scope, httpClient, ca, clock, requests } = options;
    this.#options = options;
    this.#client = new ContainerInstanceManagementClient(credential, subscription, {
      endpoint,
      $host: endpoint,
      credentialScopes: scope,
      httpClient,
      retryOptions: { maxRetries: 0 },
      redirectOptions: { maxRetries: 0 },
      ...(ca !== undefined && { tlsOptions: { ca } }),
    });
    this.#buckets = {
      reads: new TokenBucket({ clock, ...requests.reads }),
      writes: new TokenBucket({ clock, ...requests.writes }),
    };
  }

  async listGroups({ resourceGroup }: Scope, call: ArmCall): Promise<readonly unknown[]> {
    const what = `list of container groups${resourceGroup === undefined ? "" : ` of ${resourceGroup}`}`;
    const groups: ContainerGroup[] = [];
    const options = this.#callOptions(call);
    const pages =
      resourceGroup === undefined
        ? this.#client.containerGroups.list(options).byPage()
        : this.#client.containerGroups.listByResourceGroup(resourceGroup, options).byPage();
    for (let count = 0; count < mostPages; count += 1) {
      const page = await this.#send("reads", what, call, async () => pages.next());
      if (page.done === true) return groups;
      groups.push(...asList(page.value, what));
    }
    throw new ScalerError(
      "SCALER_INTERNAL",
      `${what}: it has more than ${mostPages} pages; name fewer resource groups`,
    );
  }

  async getGroup(group: GroupId, call: ArmCall): Promise<unknown> {
    const options = this.#callOptions(call);
    return undefinedIfGone(
      this.#send("reads", `read of ${keyOf(group)}`, call, async () =>
        this.#client.containerGroups.get(group.resourceGroup, group.name, options),
      ),
    );
  }

  async startGroup(group: GroupId, call: ArmCall): Promise<string | undefined> {
    const answer = await this.#request("POST", this.#urlOf(group, "start"), `start of ${keyOf(group)}`, call);
    return answer.headers.get("azure-asyncoperation");
  }

  async stopGroup(group: GroupId, call: ArmCall): Promise<void> {
    await this.#request("POST", this.#urlOf(group, "stop"), `stop of ${keyOf(group)}`, call);
  }

  async getOperation(group: GroupId, url: string, call: ArmCall): Promise<ArmOperation | undefined> {
    const what = `operation of ${keyOf(group)}`;
    const answer = await undefinedIfGone(this.#request("GET", url, what, call));
    return answer === undefined ? undefined : toOperation(answer.bodyAsText, what);
  }

  #urlOf(group: GroupId, action: string): string {
    const { endpoint } = this.#options;
    return `${endpoint}${toArmPath(group)}/${action}?api-version=${this.#client.apiVersion}`;
  }

  async #request(method: HttpMethods, url: string, what: string, call: ArmCall): Promise<PipelineResponse> {
    const { clock } = this.#options;
    return this.#send(method === "GET" ? "reads" : "writes", what, call, async () => {
      const { signal } = call;
      const request = createPipelineRequest({ url, method, ...(signal !== undefined && { abortSignal: signal }) });
      const answer = await this.#client.sendRequest(request);
      this.#learn(answer);
      if (answer.status >= 200 && answer.status < 300) return answer;
      throw toAnswerError(toArmAnswer(answer), what, clock.now());
    });
  }

  #callOptions({ signal }: ArmCall): OperationOptions {
    return {
      ...(signal !== undefined && { abortSignal: signal }),
      onResponse: (answer) => this.#learn(answer),
    };
  }

  /** The limits are shared with everybody who asks as the same identity. */
  #learn({ headers }: Pick<PipelineResponse, "headers">): void {
    for (const kind of ["reads", "writes"] as const) {
      const remaining = Number(headers.get(`x-ms-ratelimit-remaining-subscription-${kind}`) ?? Number.NaN);
      if (Number.isFinite(remaining)) this.#buckets[kind].limitTo(remaining);
    }
  }

  /** One request within the rate. Rejects with a ScalerError, promptly once the signal aborts. */
  async #send<Answer>(kind: Kind, what: string, call: ArmCall, send: () => Promise<Answer>): Promise<Answer> {
    const bucket = this.#buckets[kind];
    try {
      await bucket.take(call);
      call.onSend?.();
      // The SDK hands the signal down to the socket, but not to whoever fetches the token.
      return await untilAborted(send(), call.signal);
    } catch (error) {
      const failure = this.#toError(error, what, call.signal);
      if (failure.code === "SCALER_RATE_LIMITED" && failure.cause !== undefined)
        bucket.pause(failure.retryAfterMs ?? pauseMs);
      throw failure;
    }
  }

  #toError(error: unknown, what: string, signal: AbortSignal | undefined): ScalerError {
    const answer = isScalerError(error) || signal?.aborted === true ? undefined : answerOf(error);
    return answer === undefined || answer.status < 300
      ? toCallError(error, what, signal)
      : toAnswerError(answer, what, this.#options.clock.now());
  }
}

/** The answer that the SDK made an error of. */
function answerOf(error: unknown): ArmAnswer | undefined {
  const response: unknown = error instanceof Error ? Reflect.get(error, "response") : undefined;
  return isResponse(response) ? toArmAnswer(response) : undefined;
}

function isResponse(value: unknown): value is PipelineResponse {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "status") === "number";
}

function toArmAnswer({ status, bodyAsText, headers }: PipelineResponse): ArmAnswer {
  return { status, body: bodyAsText ?? undefined, header: (name) => headers.get(name) };
}

async function undefinedIfGone<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isScalerError(error) && error.code === "SCALER_NOT_FOUND") return undefined;
    throw error;
  }
}

function asList(page: unknown, what: string): readonly ContainerGroup[] {
  if (Array.isArray(page)) return page as readonly ContainerGroup[];
  throw toUnreadableError(what, "is no list");
}

function toOperation(body: string | null | undefined, what: string): ArmOperation {
  const parsed = parse(body);
  const status = typeof parsed?.["status"] === "string" ? parsed["status"].toLowerCase() : undefined;
  if (status === undefined) throw toUnreadableError(what, "has no status");
  const problem = toProblem(parsed?.["error"]);
  const hasFailed = status === "failed" || status === "canceled";
  return {
    isDone: terminal.includes(status),
    ...(hasFailed && { problem: problem ?? { code: status, message: "the operation gives no reason" } }),
  };
}

function parse(body: string | null | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(body ?? "");
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
