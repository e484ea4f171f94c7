// The service of cluster tests: a plain HTTP server that knows nothing of Dormouse. It runs in the image as it is.
//
//   /…?ms=200   answers after so long, with the request's id (x-request-id) and the Pod's name; writes the id down first
//   /ledger     ids in the order in which they came, as JSON
//   /metrics    requests in flight and so far, for Prometheus; these paths and /healthz are not counted
//
// PORT is 8080 unless set; START_MS has it listen later; LEDGER_FILE gets a line `id pod` for each request too.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const { PORT = "8080", START_MS = "0", LEDGER_FILE } = process.env;
const pod = hostname();
/** As many as a test could wish for. */
const ledgerLimit = 1_000_000;
const ledger: string[] = [];
let inFlight = 0;
let total = 0;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://app");
  if (url.pathname === "/healthz") return void response.end("ok\n");
  if (url.pathname === "/ledger") return void response.end(JSON.stringify(ledger));
  if (url.pathname === "/metrics") return void response.setHeader("content-type", "text/plain").end(metrics());
  inFlight += 1;
  total += 1;
  response.once("close", () => (inFlight -= 1));
  const id = String(request.headers["x-request-id"] ?? "");
  if (ledger.length < ledgerLimit) ledger.push(id);
  if (LEDGER_FILE !== undefined) appendFileSync(LEDGER_FILE, `${id} ${pod}\n`);
  const bodyBytes = await countBytes(request);
  await sleep(Number(url.searchParams.get("ms") ?? "0"));
  response.setHeader("content-type", "application/json").setHeader("x-request-id", id);
  response.end(`${JSON.stringify({ id, pod, method: request.method, path: request.url, bodyBytes })}\n`);
}

async function countBytes(request: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) bytes += chunk.length;
  return bytes;
}

function metrics(): string {
  return [
    "# TYPE app_requests_in_flight gauge",
    `app_requests_in_flight ${String(inFlight)}`,
    "# TYPE app_requests_total counter",
    `app_requests_total ${String(total)}`,
    "",
  ].join("\n");
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
// Requests that are open are answered; Kubernetes gives 30 seconds for that.
process.on("SIGTERM", () => server.close(() => process.exit(0)));
await sleep(Number(START_MS));
server.listen(Number(PORT));
