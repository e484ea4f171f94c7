// GET /BYTES answers so many pseudo-random bytes; any body is read and its size and checksum answered.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";

const block = Buffer.alloc(65_536);
for (let index = 0; index < block.length; index += 1) block[index] = (index * 31 + (index >> 8)) & 0xff;

createServer(async (request, response) => {
  if (request.method === "GET") return void (await send(response, Number((request.url ?? "/0").slice(1))));
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of request) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  response.end(JSON.stringify({ bytes, sha256: hash.digest("hex") }));
}).listen(Number(process.env.PORT));

async function send(response, bytes) {
  response.setHeader("content-length", bytes);
  for (let left = bytes; left > 0; left -= block.length) {
    if (!response.write(left < block.length ? block.subarray(0, left) : block)) await once(response, "drain");
  }
  response.end();
}
