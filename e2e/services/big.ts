// GET /BYTES answers so many pseudo-random bytes; any other body is read, and its size and checksum answered.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { listen } from "./listen.ts";
import { patternBlocks } from "./pattern-blocks.ts";

const server = createServer(async (request, response) => {
  if (request.method === "GET") return send(response, Number((request.url ?? "").slice(1)));
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  response.end(JSON.stringify({ bytes, sha256: hash.digest("hex") }));
});

async function send(response: ServerResponse, bytes: number): Promise<void> {
  response.setHeader("content-length", bytes);
  for (const block of patternBlocks(bytes)) if (!response.write(block)) await once(response, "drain");
  response.end();
}

await listen(server);
