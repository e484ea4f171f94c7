// Accepts connections and answers with what is no HTTP.
import { createServer } from "node:net";
import { listen } from "./listen.ts";

const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", () => socket.end("!!! this is no HTTP at all\r\n\r\n"));
});

await listen(server);
