// An HTTP server that answers with what it got, and writes down each request that it executed.
// It ends at SIGTERM without finishing anything, so that a stop that comes too early shows; with DEAF, it does not end at all.
// READY_GATE: /ready answers 503 until this gate is open. ?gate=NAME: it answers once this gate is open.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { gate, isOpen, writeDown } from "./gates.ts";
import { listen } from "./listen.ts";

const readyGate = process.env["READY_GATE"];

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? "", "http://echo");
  if (url.pathname === "/ready" && readyGate !== undefined) {
    response.statusCode = isOpen(readyGate) ? 200 : 503;
    response.end();
    return;
  }
  const body = await read(request);
  if (body === undefined) return; // the client broke off: nothing was executed
  const { method, headers } = request;
  const id = headers["x-request-id"];
  writeDown(typeof id === "string" ? id : `${method} ${request.url}`);
  await gate(url.searchParams.get("gate") ?? undefined);
  const answer = { id, name: process.env["NAME"], pid: process.pid, method, path: request.url, headers, ...body };
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(answer));
});

/** Size and checksum of the body; undefined where it did not come whole. */
async function read(request: IncomingMessage): Promise<{ bytes: number; sha256: string } | undefined> {
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch {
    return undefined;
  }
  return { bytes, sha256: hash.digest("hex") };
}

if (process.env["DEAF"] !== undefined) process.on("SIGTERM", () => {});
await listen(server);
