// Answers, and ends as a whole at every EVERY-th request: WHEN `before` it was executed, or `after` it was written down as
// executed but before it was answered.
import { createServer } from "node:http";
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
    if (isLast && when === "before") process.exit(1);
    writeDown(String(id));
    if (isLast) process.exit(1);
    response.end(JSON.stringify({ id, pid: process.pid }));
  });
});

await listen(server);
