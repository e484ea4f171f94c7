// GET /events: server-sent events, one each EVERY_MS (0: one at the start and then silence). Upgrades: a WebSocket echo.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const everyMs = Number(process.env.EVERY_MS ?? 50);

const server = createServer((request, response) => {
  if (request.url !== "/events") return void response.end("ok");
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write("data: hello\n\n");
  if (everyMs === 0) return;
  let count = 0;
  const timer = setInterval(() => response.write(`data: ${(count += 1)}\n\n`), everyMs);
  response.on("close", () => clearInterval(timer));
});
const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.listen(Number(process.env.PORT));
