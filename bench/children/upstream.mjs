import { createServer } from "node:http";

// The service behind every proxy of the comparison: it answers at once.
const { PORT = "0" } = process.env;
const body = JSON.stringify({ greeting: "hello", padding: "x".repeat(200) });

const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
});

server.keepAliveTimeout = 75_000;
server.listen(Number(PORT), "127.0.0.1");

process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
