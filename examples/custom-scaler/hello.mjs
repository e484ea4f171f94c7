import { createServer } from "node:http";
import { threadId } from "node:worker_threads";

// An ordinary server; that it runs in a thread is the scaler's business.
createServer((request, response) => {
  response.end(`hello from thread ${threadId}, you asked for ${request.url}\n`);
}).listen(Number(process.env["PORT"]), "127.0.0.1");
