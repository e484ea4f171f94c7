import { createServer } from "node:http";

// An ordinary service: it knows nothing of Dormouse and listens where PORT says.
const { GREETING = "hello", PORT = "3001" } = process.env;

const server = createServer((request, response) => {
  const { "x-request-id": id } = request.headers;
  if (id !== undefined) response.setHeader("X-Request-Id", id);
  response.end(`${GREETING} from process ${process.pid}, you asked for ${request.url}\n`);
});

server.listen(Number(PORT), "127.0.0.1");

process.once("SIGTERM", () => server.close());
