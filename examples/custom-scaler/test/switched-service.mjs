import { existsSync } from "node:fs";
import { createServer } from "node:http";

// Fails while the file `broken` lies beside it, and ends when it is asked for /end.
if (existsSync(new URL("broken", import.meta.url))) throw new Error("the switch says broken");

createServer((request, response) => {
  response.end("ok");
  if (request.url === "/end") process.exit(1);
}).listen(Number(process.env["PORT"]), "127.0.0.1");
