// Answers, and every EVERY-th request it ends the whole process: `before` the request is read, or `after` it was
// written down as executed but not answered. LEDGER as in echo.mjs.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";

const { PORT, LEDGER, EVERY = "20", WHEN = "after" } = process.env;
let count = 0;

createServer((request, response) => {
  count += 1;
  const isLast = count % Number(EVERY) === 0;
  if (isLast && WHEN === "before") process.exit(1);
  const id = request.headers["x-request-id"];
  if (LEDGER !== undefined && id !== undefined) appendFileSync(LEDGER, `${id}\n`);
  if (isLast) process.exit(1);
  request.resume();
  response.end(JSON.stringify({ id, pid: process.pid }));
}).listen(Number(PORT));
