// GET /events: server-sent events, one each EVERY_MS, none after the first where that is 0.
// Upgrades: a WebSocket that echoes; anything else answers "ok".
import { createServer } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { listen } from "./listen.ts";

const everyMs = Number(process.env["EVERY_MS"] ?? 20);

const server = createServer((request, response) => {
  if (request.url !== "/events") {
    response.end("ok");
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write("data: 0\n\n");
  if (everyMs === 0) return;
  let count = 0;
  const timer = setInterval(() => response.write(`data: ${(count += 1)}\n\n`), everyMs);
  response.on("close", () => clearInterval(timer));
});

const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket: WebSocket) => {
  socket.on("error", () => {});
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});

await listen(server);
