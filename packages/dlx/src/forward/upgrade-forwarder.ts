import { type ClientRequest, type IncomingMessage, request as httpRequest, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { createProxyServer } from "http-proxy-3";
import { DialledAgent } from "./dialled-agent.ts";
import { toResponseHead } from "./response-headers.ts";

/** A client's request for another protocol, and the two connections between which it is to be spoken. */
export interface UpgradeParties {
  readonly request: IncomingMessage;
  readonly client: Socket;
  /** Bytes that the client sent after its head. */
  readonly head: Buffer;
  readonly target: Socket;
  readonly path: string;
  /** Names and values in turn, without Connection and Upgrade. */
  readonly headers: readonly string[];
  readonly protocol: string;
  /** Names and values in turn that every answer gets. */
  readonly extra: readonly string[];
}

/** What becomes of an upgrade; the connections closing ends it in any case. */
export interface UpgradeReply {
  /** The target has agreed: from here on the two talk to each other. */
  opened(): void;
  /** The target has refused with this status; its answer goes to the client, which is then closed. */
  refused(status: number): void;
  /** The target broke off before either. */
  failed(error: Error): void;
}

/** Speaks WebSocket handshakes by http-proxy-3 and any other upgrade by `node:http`. */
export function forwardUpgrade(parties: UpgradeParties, reply: UpgradeReply): void {
  const { protocol, request } = parties;
  if (protocol.toLowerCase() === "websocket" && request.method === "GET") forwardWebSocket(parties, reply);
  else forwardOther(parties, reply);
}

function forwardWebSocket(
  { request, client, head, target, path, headers, extra }: UpgradeParties,
  reply: UpgradeReply,
): void {
  const agent = new DialledAgent(target);
  const proxy = createProxyServer({ agent });
  // Errors of the client's socket come here as well; its closing says the same.
  proxy.on("error", () => {});
  proxy.on("proxyReqWs", (outgoing) => {
    // The path as the client wrote it: http-proxy-3 would send it through a URL first.
    outgoing.path = path;
    outgoing.on("upgrade", (response) => {
      Object.assign(response.headers, toHeaderObject(extra));
      reply.opened();
    });
    outgoing.on("response", (response) => {
      response.headers.connection = "close";
      reply.refused(response.statusCode ?? 0);
    });
  });
  request.url = "/";
  // http-proxy-3 looks for the names as Node spells them.
  request.headers = { ...toHeaderObject(headers), connection: "Upgrade", upgrade: "websocket" };
  const { remoteAddress: host = "", remotePort: port = 0 } = target;
  proxy.ws(request, client, head, { target: { protocol: "http:", host, hostname: host, port } }, (error) =>
    reply.failed(error),
  );
}

function forwardOther(parties: UpgradeParties, reply: UpgradeReply): void {
  const { request, client, head, target, path, headers, protocol } = parties;
  const lines = [...headers, "Connection", "Upgrade", "Upgrade", protocol];
  const outgoing = httpRequest({
    agent: new DialledAgent(target),
    method: request.method,
    path,
    headers: lines,
    setHost: false,
  });
  outgoing.on("error", (error) => reply.failed(error));
  outgoing.on("upgrade", (response, _socket, targetHead) => {
    client.write(toSwitchHead(response, parties.extra), "latin1");
    if (targetHead.length > 0) client.write(targetHead);
    if (head.length > 0) target.write(head);
    target.pipe(client).pipe(target);
    reply.opened();
  });
  outgoing.on("response", (response) => relayRefusal(parties, outgoing, response, reply));
  outgoing.end();
}

function relayRefusal(
  { request, client, extra }: UpgradeParties,
  outgoing: ClientRequest,
  response: IncomingMessage,
  reply: UpgradeReply,
): void {
  const status = response.statusCode ?? 0;
  const answer = new ServerResponse(request);
  const { lines } = toResponseHead(response.rawHeaders, false);
  try {
    answer.writeHead(status, response.statusMessage ?? "", [...lines, ...extra, "Connection", "close"]);
  } catch (error) {
    outgoing.destroy();
    return reply.failed(error as Error);
  }
  reply.refused(status);
  answer.assignSocket(client);
  answer.once("finish", () => client.destroySoon());
  response.once("error", () => void client.destroy());
  client.once("close", () => void outgoing.destroy());
  response.pipe(answer);
}

function toSwitchHead({ statusMessage, rawHeaders }: IncomingMessage, extra: readonly string[]): string {
  const lines = [`HTTP/1.1 101 ${statusMessage ?? ""}`];
  const headers = [...rawHeaders, ...extra];
  for (let index = 0; index < headers.length; index += 2) lines.push(`${headers[index]}: ${headers[index + 1]}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function toHeaderObject(lines: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index] ?? "";
    const value = lines[index + 1] ?? "";
    const known = headers[name];
    headers[name] = known === undefined ? value : [known, value].flat();
  }
  return headers;
}
