// Answers, and is killed at every EVERY-th request: WHEN `before` it was executed, or `after` it was written down as executed
// but before it was answered. Its listener closes before its connections, so that no replay can come to a dying process.
import { createServer } from "node:http";
import { Server } from "node:net";
import { writeDown } from "./gates.ts";
import { listen } from "./listen.ts";

const every = Number(process.env["EVERY"]);
const when = process.env["WHEN"];
let count = 0;

const server = createServer((request, response) => {
  const id = request.headers["x-request-id"];
  request.resume();
  request.on("end", () => {
    count += 1;
    const isLast = count % every === 0;
    if (isLast && when === "before") die();
    writeDown(String(id));
    if (isLast) die();
    response.end(JSON.stringify({ id, pid: process.pid }));
  });
});

/** The close of HTTP servers would end idle connections first. */
function die(): void {
  Server.prototype.close.call(server);
  process.kill(process.pid, "SIGKILL");
}

await listen(server);
