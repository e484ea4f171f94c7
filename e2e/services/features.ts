// Uses what HTTP/1.1 has beside a plain answer: interim responses, trailers, chunks, HEAD, statuses without a body.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { gate } from "./gates.ts";
import { listen } from "./listen.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

const routes: Readonly<Record<string, Handler>> = {
  "/early": (_request, response) => {
    response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
    response.end("after the hints");
  },
  "/trailers": (_request, response) => {
    response.writeHead(200, { trailer: "x-checksum", "content-type": "text/plain" });
    response.write("one ");
    response.addTrailers({ "x-checksum": "abc123" });
    response.end("two");
  },
  "/chunks": async (_request, response) => {
    for (const name of ["first", "second", "third"]) {
      await gate(name);
      response.write(`${name}.`);
    }
    response.end();
  },
  "/head": (_request, response) => {
    response.writeHead(200, { "content-length": "12345", "x-service": "features" });
    response.end();
  },
  "/nothing": (_request, response) => void response.writeHead(204).end(),
  "/unchanged": (_request, response) => void response.writeHead(304, { etag: '"v1"' }).end(),
  "/cookies": (_request, response) => {
    response.setHeader("set-cookie", ["a=1; Path=/", "b=2; Path=/"]);
    response.end("two cookies");
  },
};

const server = createServer((request, response) => {
  const route = routes[request.url ?? ""];
  if (route === undefined) response.writeHead(404).end();
  else void Promise.resolve(route(request, response)).catch(() => response.destroy());
});

await listen(server);
