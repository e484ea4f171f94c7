import { context, propagation, SpanStatusCode, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { RawConnection, sendRaw } from "./raw-http.ts";
import { openDeadTarget, openTarget, openTestFront } from "./test-front.ts";

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const get = `GET /path?secret=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTraceparent: ${parent}\r\nTracestate: x=y\r\n\r\n`;

describe("a request where somebody collects spans", () => {
  const exporter = new InMemorySpanExporter();

  beforeEach(() => {
    exporter.reset();
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  });

  afterEach(() => {
    trace.disable();
    propagation.disable();
    context.disable();
  });

  function span(name: string): ReadableSpan {
    const found = exporter.getFinishedSpans().filter((one) => one.name === name);
    expect(found).toHaveLength(1);
    return found[0] as ReadableSpan;
  }

  it("is one span of its caller's trace, with its wait and its forwarding in it", async () => {
    const seen: unknown[] = [];
    const target = await openTarget((request, response) => {
      seen.push(request.headers["traceparent"], request.headers["tracestate"]);
      response.end("ok");
    });
    const { port, gate } = await openTestFront();
    const response = sendRaw(port, get);
    await eventually(() => expect(gate.held).toBe(1));
    gate.wake(target);
    expect(await response).toContain("ok");
    await eventually(() => expect(exporter.getFinishedSpans()).toHaveLength(3));
    const request = span("request");
    expect(request.spanContext().traceId).toBe("0af7651916cd43dd8448eb211c80319c");
    expect(request.parentSpanContext?.spanId).toBe("b7ad6b7169203331");
    expect(request.attributes).toEqual({
      "http.request.method": "GET",
      "url.path": "/path",
      "dormouse.resource": "local/default/app",
      "http.response.status_code": 200,
    });
    for (const part of ["hold", "forward"])
      expect(span(part).parentSpanContext?.spanId).toBe(request.spanContext().spanId);
    const forward = span("forward");
    expect(forward.attributes).toEqual({ "server.address": "127.0.0.1", "server.port": target.port });
    expect(seen).toEqual([`00-${forward.spanContext().traceId}-${forward.spanContext().spanId}-01`, "x=y"]);
    const { trace: held } = gate.holds[0] ?? {};
    expect(held === undefined ? undefined : trace.getSpanContext(held)?.spanId).toBe(span("hold").spanContext().spanId);
  });

  it("has a span for each attempt, and says that it failed", async () => {
    const { port } = await openTestFront({ targets: [await openDeadTarget(), await openDeadTarget()] });
    const client = await RawConnection.open(port);
    client.write(get);
    await eventually(() => expect(exporter.getFinishedSpans().filter((one) => one.name === "forward")).toHaveLength(2));
    client.destroy();
    await eventually(() => expect(span("request").attributes["http.response.status_code"]).toBe(499));
    expect(span("request").status.code).toBe(SpanStatusCode.UNSET);
  });

  it("marks what ended by our own error", async () => {
    const target = await openTarget((request) => void request.socket.destroy());
    const { port } = await openTestFront({ targets: [target] });
    await sendRaw(port, get.replace("GET", "POST"));
    await eventually(() => expect(span("request").status.code).toBe(SpanStatusCode.ERROR));
  });
});

describe("a request where nobody collects spans", () => {
  it("carries its caller's trace on untouched", async () => {
    const seen: unknown[] = [];
    const target = await openTarget((request, response) => {
      seen.push(request.headers["traceparent"], request.headers["tracestate"]);
      response.end();
    });
    const { port } = await openTestFront({ targets: [target] });
    await sendRaw(port, get);
    expect(seen).toEqual([parent, "x=y"]);
  });
});
