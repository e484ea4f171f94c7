import {
  type DlxPeer,
  errorFacts,
  type FenceAnswer,
  isRefPart,
  isScalerError,
  type Logger,
  type ResourceRef,
  type ScaleEvent,
  toScalerError,
} from "@dormouse/core";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { roundNumbers } from "../round-numbers.ts";
import type { AdminHost, Order } from "./admin-host.ts";
import { type Access, refuseAccess } from "./authorize.ts";
import type { EventStreams } from "./event-stream.ts";
import { peerHeader } from "./peer-header.ts";
import { type AdminProblem, problemResponse } from "./problem-response.ts";

/** Bytes of a request's body; ours have some dozens. */
const mostBodyBytes = 16_384;

export interface AdminAppOptions {
  readonly host: AdminHost;
  readonly access: () => Access;
  /** Whether the caller has shown a valid certificate; the bindings are the server's. */
  readonly hasCertificate?: (bindings: unknown) => boolean;
  readonly streams: EventStreams;
  readonly logger: Logger;
}

type Handler = (context: Context) => Response | Promise<Response>;
type Method = "GET" | "POST" | "PUT";

/** The admin API as one function from request to response. */
export function createAdminApp(options: AdminAppOptions): Hono {
  const app = new Hono();
  app.use((context, next) => {
    const refusal = refuseAccess(context.req.raw, options.access(), options.hasCertificate?.(context.env) ?? false);
    return refusal === undefined ? next() : Promise.resolve(refusal);
  });
  app.use(bodyLimit({ maxSize: mostBodyBytes, onError: () => problemResponse(tooLarge) }));
  for (const [path, methods] of Object.entries(routes(options))) addPath(app, path, methods);
  app.notFound(() =>
    problemResponse({ status: 404, code: "ADMIN_NOT_FOUND", detail: "There is nothing at this path." }),
  );
  app.onError((error) => toResponse(error, options.logger));
  return app;
}

const tooLarge: AdminProblem = {
  status: 413,
  code: "ADMIN_TOO_LARGE",
  detail: `A body has at most ${mostBodyBytes} bytes.`,
};

function addPath(app: Hono, path: string, methods: Partial<Record<Method, Handler>>): void {
  for (const [method, handler] of Object.entries(methods)) app.on(method, path, handler);
  const allow = Object.keys(methods).flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  const detail = `Use ${allow.join(" or ")}.`;
  app.all(path, () =>
    problemResponse({ status: 405, code: "ADMIN_METHOD_NOT_ALLOWED", detail }, { allow: allow.join(", ") }),
  );
}

const resourcePath = "/v1/resources/:scaler/:namespace/:name";

function routes({ host, streams }: AdminAppOptions): Readonly<Record<string, Partial<Record<Method, Handler>>>> {
  return {
    "/healthz": { GET: (context) => answerProbe(context, host.liveness().reasons) },
    "/readyz": { GET: (context) => answerProbe(context, host.readiness().reasons) },
    "/metrics": { GET: (context) => answerMetrics(context, host) },
    "/v1/resources": { GET: async (context) => answer(context, await fresh(host, () => host.list())) },
    [resourcePath]: {
      GET: async (context) => answerResource(context, await fresh(host, () => host.resource(refOf(context)))),
    },
    [`${resourcePath}/why`]: {
      GET: async (context) => answerResource(context, await fresh(host, () => host.why(refOf(context)))),
    },
    [`${resourcePath}/wake`]: { POST: (context) => run(context, (ref, order) => host.wake(ref, order)) },
    [`${resourcePath}/sleep`]: { POST: (context) => sleep(context, host) },
    "/v1/events": { GET: (context) => answerEvents(context, host, streams) },
    "/v1/activity": {
      GET: (context) => answerAsDlx(context, host, (peer) => peer.readActivity({ signal: context.req.raw.signal })),
    },
    "/v1/fences/:scaler/:namespace/:name": {
      PUT: (context) => answerAsDlx(context, host, (peer) => fence(context, peer)),
    },
  };
}

/** What is read after the counts of other hosts have come in. */
async function fresh<Read>(host: AdminHost, read: () => Read): Promise<Read> {
  await host.refresh();
  return read();
}

function sleep(context: Context, host: AdminHost): Response | Promise<Response> {
  if (host.role !== "dlx") return run(context, (ref, order) => host.sleep(ref, order));
  const detail = "This host is a DLX, which puts nothing to sleep. Ask the autoscaler, another host, for it.";
  return problemResponse({ status: 405, code: "ADMIN_METHOD_NOT_ALLOWED", detail }, { allow: "" });
}

/** The answer of this host's DLX, to whoever means just this one. */
async function answerAsDlx(
  context: Context,
  { peer }: AdminHost,
  read: (peer: DlxPeer) => Promise<object>,
): Promise<Response> {
  if (peer === undefined) {
    const detail = "This host is an autoscaler and has no DLX.";
    return problemResponse({ status: 404, code: "ADMIN_NOT_FOUND", detail });
  }
  const meant = context.req.header(peerHeader);
  if (meant !== undefined && meant !== peer.id) {
    const detail = `This is the DLX ${peer.id}, another one than the one that is asked for.`;
    return problemResponse({ status: 421, code: "ADMIN_OTHER_DLX", detail }, { [peerHeader]: peer.id });
  }
  context.header(peerHeader, peer.id);
  return answer(context, await read(peer));
}

function answer(context: Context, body: object): Response {
  return context.body(`${JSON.stringify(body, roundNumbers)}\n`, 200, {
    "content-type": "application/json",
    "cache-control": "no-store",
  });
}

/** 200 where nothing speaks against it. */
function answerProbe(context: Context, reasons: readonly string[]): Response {
  return reasons.length === 0 ? context.text("ok\n") : context.text(`${reasons.join("\n")}\n`, 503);
}

async function answerMetrics(context: Context, host: AdminHost): Promise<Response> {
  return context.body(await host.metrics(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
}

function answerResource(context: Context, report: object | undefined): Response {
  return report === undefined ? problemResponse(unknownResource(context)) : answer(context, report);
}

function unknownResource(context: Context): AdminProblem {
  const { scaler, namespace, name } = context.req.param() as Record<string, string>;
  const resource = `${scaler}/${namespace}/${name}`;
  return { status: 404, code: "SCALER_NOT_FOUND", detail: `There is no resource ${resource}.`, resource };
}

/** @throws BadRequest where a part of the path can be no part of a ref */
function refOf(context: Context): ResourceRef {
  const { scaler, namespace, name } = context.req.param() as Record<string, string>;
  if (isRefPart(scaler) && isRefPart(namespace) && isRefPart(name)) return { scaler, namespace, name };
  throw new BadRequest("A resource is scaler/namespace/name, each of A-Z a-z 0-9 . _ : -");
}

class BadRequest extends Error {
  override readonly name = "BadRequest";
}

async function run(context: Context, work: (ref: ResourceRef, order: Order) => Promise<ScaleEvent>): Promise<Response> {
  const { reason } = await readBody(context);
  if (reason !== undefined && (typeof reason !== "string" || reason.length > 200))
    throw new BadRequest("reason is a text of at most 200 characters");
  return answer(
    context,
    await work(refOf(context), {
      by: "operator",
      reason: reason ?? "asked for by the admin API",
      signal: context.req.raw.signal,
    }),
  );
}

async function fence(context: Context, peer: DlxPeer): Promise<FenceAnswer> {
  const { attempt } = await readBody(context);
  if (typeof attempt !== "string" || attempt === "" || attempt.length > 200)
    throw new BadRequest("attempt is a text of 1 to 200 characters");
  return peer.fence(refOf(context), attempt, { signal: context.req.raw.signal });
}

/** An empty body is an empty object. */
async function readBody(context: Context): Promise<Readonly<Record<string, unknown>>> {
  const text = await context.req.text();
  if (text === "") return {};
  const body = parseJson(text);
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new BadRequest("The body is no JSON object.");
  return body as Record<string, unknown>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function answerEvents(context: Context, host: AdminHost, streams: EventStreams): Response {
  if (!(context.req.header("accept") ?? "").includes("text/event-stream"))
    return answer(context, { events: host.journal.list() });
  const body = streams.open(context.req.header("last-event-id") ?? context.req.query("after"));
  if (body === undefined)
    return problemResponse({
      status: 503,
      code: "ADMIN_TOO_MANY_SUBSCRIBERS",
      detail: "Too many follow the events already.",
    });
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
  });
}

/** Operators see the platform's own text: this API is not for callers of the resources. */
function toResponse(error: unknown, logger: Logger): Response {
  if (error instanceof BadRequest)
    return problemResponse({ status: 400, code: "ADMIN_BAD_REQUEST", detail: error.message });
  if (!isScalerError(error)) {
    logger.error({ error }, "the admin API failed");
    return problemResponse({
      status: 500,
      code: "ADMIN_INTERNAL",
      detail: "This is a fault of Dormouse; its log says more.",
    });
  }
  const { code, message } = toScalerError(error);
  return problemResponse({ status: statusOf(code), code, detail: message });
}

function statusOf(code: Parameters<typeof errorFacts>[0]): number {
  if (code === "SCALER_NOT_FOUND") return 404;
  if (code === "SCALER_BAD_ARGUMENT") return 400;
  return code === "SCALER_CONFLICT" ? 409 : errorFacts(code).status;
}
