import { Agent } from "node:http";
import { createProxyServer } from "http-proxy-3";

// http-proxy-3 as its README begins, or with an agent that keeps connections to the service.
const { PORT = "0", TARGET = "", KEEP_ALIVE = "" } = process.env;

const agent = KEEP_ALIVE === "" ? {} : { agent: new Agent({ keepAlive: true, maxSockets: Infinity }) };
const proxy = createProxyServer({ target: TARGET, ...agent });

proxy.on("error", (error, _request, response) => {
  console.error(error);
  response.destroy();
});
proxy.listen(Number(PORT), "127.0.0.1");
