import { z } from "zod";
import type { ExampleOptions } from "./example-options.ts";
import { toAnswerError, toStatusError, toUnreachableError } from "./example-error.ts";

/** A service as the platform describes it: what is read here, whatever else an answer has. */
const serviceSchema = z.object({
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  port: z.int(),
  /** Wanted instances. */
  count: z.int().min(0),
  /** The last count that was not 0. */
  lastCount: z.int().min(1),
  /** Moves with every accepted write, and with nothing else. */
  revision: z.string(),
  /** Epoch ms. */
  createdAt: z.number(),
  changedAt: z.number(),
  failure: z.object({ reason: z.string(), message: z.string() }).optional(),
  instances: z.array(
    z.object({
      /** Never given to another instance. */
      id: z.string(),
      host: z.string(),
      port: z.int(),
      state: z.enum(["starting", "running", "stopping"]),
    }),
  ),
});

export type ExampleService = z.output<typeof serviceSchema>;

interface Call {
  readonly method?: "GET" | "PUT";
  readonly body?: unknown;
  /** Accept the write only at this revision. */
  readonly ifRevision?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The platform's HTTP API: the few calls that the scaler makes. Rejects with `ScalerError`, or with the signal's reason. */
export class ExampleApi {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ url, token }: ExampleOptions) {
    this.#url = url.replace(/\/$/, "");
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  async services(signal?: AbortSignal): Promise<readonly ExampleService[]> {
    return this.#call("/services", z.array(serviceSchema), { signal });
  }

  async service(name: string, signal?: AbortSignal): Promise<ExampleService> {
    return this.#call(`/services/${encodeURIComponent(name)}`, serviceSchema, { signal });
  }

  /** One request writes the count and, where it is 1 or more, the last count. @returns the revision that it made */
  async setCount(name: string, count: number, call: Pick<Call, "ifRevision" | "signal">): Promise<string> {
    const path = `/services/${encodeURIComponent(name)}/count`;
    const answer = await this.#call(path, z.object({ revision: z.string() }), {
      ...call,
      method: "PUT",
      body: { count },
    });
    return answer.revision;
  }

  async #call<Answer>(path: string, schema: z.ZodType<Answer>, call: Call): Promise<Answer> {
    const what = `${call.method ?? "GET"} ${path}`;
    const { status, headers, text } = await this.#send(path, what, call);
    if (status < 200 || status > 299) throw toStatusError(what, status, text, headers.get("retry-after"));
    const answer = schema.safeParse(parseJson(text));
    if (!answer.success) throw toAnswerError(what, answer.error);
    return answer.data;
  }

  /** The signal goes down to the socket: an aborted call ends at once, and its abort is let through as it is. */
  async #send(path: string, what: string, { method = "GET", body, ifRevision, signal }: Call) {
    const headers = {
      ...this.#headers,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(ifRevision !== undefined && { "if-match": ifRevision }),
    };
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers,
        redirect: "error",
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal !== undefined && { signal }),
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    } catch (error) {
      signal?.throwIfAborted();
      throw toUnreachableError(what, error);
    }
  }
}

/** Undefined where it is no JSON: the schema refuses that. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
