// Sends what it gets, with all its headers, back to the DLX at BACK_TO: a loop.
import { createServer, request as send } from "node:http";
import { writeDown } from "./gates.ts";
import { listen } from "./listen.ts";

const server = createServer((request, response) => {
  const { method, headers, url = "" } = request;
  writeDown(`${method} ${url}`);
  const onward = send(new URL(url, process.env["BACK_TO"]), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
});

await listen(server);
