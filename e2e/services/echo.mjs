// An HTTP server that answers with what it got, and writes down each request id that it executed.
// PORT; LEDGER: file that each executed id is appended to; START_MS: how long it takes to listen; HOST.
import { createHash } from "node:crypto";
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const { PORT, LEDGER, START_MS = "0", HOST, NAME = "echo" } = process.env;

const server = createServer(async (request, response) => {
  const id = request.headers["x-request-id"];
  const url = new URL(request.url ?? "/", "http://echo");
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    for await (const chunk of request) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch {
    return; // the client broke off: nothing was executed
  }
  if (LEDGER !== undefined && id !== undefined) appendFileSync(LEDGER, `${id}\n`);
  const waitMs = Number(url.searchParams.get("wait") ?? 0);
  if (waitMs > 0) await sleep(waitMs);
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ id, name: NAME, pid: process.pid, method: request.method, path: request.url, headers: request.headers, bytes, sha256: hash.digest("hex") }));
});
server.keepAliveTimeout = 5_000;

setTimeout(() => server.listen(Number(PORT), HOST), Number(START_MS));
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
