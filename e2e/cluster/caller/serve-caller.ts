// The Pod from which requests come. `POST /burst` takes a Burst and answers with its BurstResult; `GET /connects` says
// `true` once the service takes a connection from here; `GET /ledger` gives what the service's Pods have written down, by
// line; it outlives them.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { canConnect } from "./can-connect.ts";
import type { Burst } from "./send-burst.ts";
import { sendBurst } from "./send-burst.ts";

const ledger = "/ledger/requests";

async function answer(request: IncomingMessage): Promise<string> {
  if (request.url === "/ledger") return existsSync(ledger) ? readFileSync(ledger, "utf8") : "";
  if (request.url === "/connects") return String(await canConnect("web", 80));
  if (request.url === "/burst") return JSON.stringify(await sendBurst(JSON.parse(await text(request)) as Burst));
  return "ok";
}

const server = createServer((request, response) => {
  answer(request).then(
    (body) => response.end(body),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
process.once("SIGTERM", () => process.exit(0));
server.listen(9090);
