import { createServer } from "node:http";

// What the services of the tests run. It has a moment left when it is told to end, as real ones have.
const server = createServer((_request, response) => response.end("Hello from runit.\n"));
server.listen(Number(process.argv[2]), "127.0.0.1");
process.once("SIGTERM", () => setTimeout(() => process.exit(0), 100));
