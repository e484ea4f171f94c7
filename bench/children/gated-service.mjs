import { existsSync } from "node:fs";
import { createServer } from "node:http";

// Listens only once a file exists, so that the bench decides how long its requests are held.
const { PORT = "0", GATE = "" } = process.env;

const server = createServer((request, response) => {
  request.resume();
  response.end(`answered ${request.url}`);
});

const gate = setInterval(() => {
  if (!existsSync(GATE)) return;
  clearInterval(gate);
  server.listen({ port: Number(PORT), host: "127.0.0.1", backlog: 4_096 });
}, 10);

process.once("SIGTERM", () => {
  clearInterval(gate);
  server.close();
  server.closeAllConnections();
});
