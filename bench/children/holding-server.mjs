import { createServer } from "node:http";

// The yardstick for held requests: nothing but node:http that keeps them open until told to answer.
const { PORT = "0" } = process.env;
/** @type {{ request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse }[]} */
const held = [];

const server = createServer((request, response) => held.push({ request, response }));
server.requestTimeout = 0;
server.listen({ port: Number(PORT), host: "127.0.0.1", backlog: 4_096 }, () => process.send?.("listening"));

process.on("message", (message) => {
  if (message === "count") process.send?.(held.length);
  if (message !== "release") return;
  for (const { request, response } of held.splice(0)) {
    request.resume();
    response.end(`answered ${request.url}`);
  }
});

process.on("disconnect", () => process.exit());
