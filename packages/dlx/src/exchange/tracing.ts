import type { IncomingMessage } from "node:http";
import {
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
  type TracerProvider,
} from "@opentelemetry/api";
import type { ReachedTarget } from "../gate/passage.ts";

/** Spans of requests, where the host has set a tracer provider. */
export interface Tracing {
  begin(request: IncomingMessage): RequestTrace;
}

/** The API's own provider stands in until the host sets one, and says whether it has. */
type StandIn = TracerProvider & { getDelegateTracer?(name: string): Tracer | undefined };

/** Undefined where nobody collects spans, so that a request costs nothing for them. */
export function openTracing(): Tracing | undefined {
  const provider: StandIn = trace.getTracerProvider();
  const name = "@dormouse/dlx";
  const isStandIn = provider.getDelegateTracer !== undefined;
  const tracer = isStandIn ? provider.getDelegateTracer?.(name) : provider.getTracer(name);
  return tracer === undefined ? undefined : { begin: (request) => new RequestTrace(tracer, request) };
}

/** The spans of one request: `request` as a whole, in it `hold` and `forward`, one for each time. */
export class RequestTrace {
  readonly #context: Context;
  readonly #tracer: Tracer;
  readonly #span: Span;
  #part: Span | undefined;

  constructor(tracer: Tracer, request: IncomingMessage) {
    const { method = "", url = "", headers } = request;
    const parent = propagation.extract(context.active(), headers);
    const attributes = { "http.request.method": method, "url.path": url.split("?", 1)[0] ?? "" };
    this.#tracer = tracer;
    this.#span = tracer.startSpan("request", { kind: SpanKind.SERVER, attributes }, parent);
    this.#context = trace.setSpan(parent, this.#span);
  }

  found(key: string): void {
    this.#span.setAttribute("dormouse.resource", key);
  }

  /** Returns the context in which the wait stands. */
  hold(): Context {
    return trace.setSpan(this.#context, this.#begin("hold", SpanKind.INTERNAL));
  }

  /** Returns the headers that carry the trace on: `traceparent` and what the host's propagator adds. */
  forward(target: ReachedTarget): Readonly<Record<string, string>> {
    const span = this.#begin("forward", SpanKind.CLIENT);
    span.setAttributes({ "server.address": target.address, "server.port": target.port });
    const carrier: Record<string, string> = {};
    propagation.inject(trace.setSpan(this.#context, span), carrier);
    return carrier;
  }

  end(status: number): void {
    this.#part?.end();
    this.#span.setAttribute("http.response.status_code", status);
    if (status >= 500) this.#span.setStatus({ code: SpanStatusCode.ERROR });
    this.#span.end();
  }

  #begin(name: string, kind: SpanKind): Span {
    this.#part?.end();
    this.#part = this.#tracer.startSpan(name, { kind }, this.#context);
    return this.#part;
  }
}
