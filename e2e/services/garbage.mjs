// Accepts connections and answers with what is no HTTP.
import { createServer } from "node:net";

createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", () => socket.end("!!! this is no HTTP at all\r\n\r\n"));
}).listen(Number(process.env.PORT));
