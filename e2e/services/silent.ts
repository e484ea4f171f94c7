// Takes every request whole, writes it down, and never answers.
import { createServer } from "node:http";
import { writeDown } from "./gates.ts";
import { listen } from "./listen.ts";

const server = createServer((request) => {
  request.resume();
  request.on("end", () => writeDown(String(request.headers["x-request-id"])));
});

await listen(server);
