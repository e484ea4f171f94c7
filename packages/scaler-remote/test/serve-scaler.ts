import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isScalerError, policySchema, type Resource, type ResourceChange, type ResourceScaler } from "@dormouse/core";
import { z } from "zod";

/** What a call is asked with; the tests of the messages hold the form. */
interface Asked {
  readonly ref: { readonly namespace: string; readonly name: string };
  readonly replicas: number;
  readonly ifVersion?: string;
  readonly port?: string;
  readonly to: "dlx" | "resource";
  readonly version: string;
}

/** Any scaler of ours as a remote one, over HTTP. @returns its URL, and what closes it */
export async function serveScaler(current: () => ResourceScaler): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((request, response) => void serve(current(), request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function serve(scaler: ResourceScaler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const asked = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
  const call = request.url?.replace("/v1/", "") ?? "";
  try {
    if (call === "watchResources") return await watch(scaler, response, gone.signal);
    const result = await answer(scaler, call, asked, gone.signal);
    response.writeHead(200).end(JSON.stringify(result ?? null));
  } catch (error) {
    const { code, message } = isScalerError(error) ? error : { code: "SCALER_INTERNAL", message: String(error) };
    response.writeHead(422).end(JSON.stringify({ code, message }));
  }
}

async function answer(scaler: ResourceScaler, call: string, asked: Asked, signal: AbortSignal): Promise<unknown> {
  const { ref, replicas, ifVersion, port, to, version } = asked;
  switch (call) {
    case "hello":
      return { contract: 1, name: "served", capabilities: { ...scaler.capabilities, release: "release" in scaler } };
    case "listResources":
      return { resources: (await scaler.listResources({ signal })).map(toWire) };
    case "getResource": {
      const found = await scaler.getResource(ref, { signal });
      return { resource: found === undefined ? null : toWire(found) };
    }
    case "setScale":
      return scaler.setScale(ref, replicas, { signal, ...(ifVersion !== undefined && { ifVersion }) });
    case "resolveTargets":
      return { targets: await scaler.resolveTargets(ref, port, { signal }) };
    case "routeTraffic":
      return scaler.routeTraffic?.(ref, to, { signal, version });
    case "release":
      return scaler.release?.({ signal });
    default:
      return null;
  }
}

async function watch(scaler: ResourceScaler, response: ServerResponse, signal: AbortSignal): Promise<void> {
  for await (const change of scaler.watchResources?.({ signal }) ?? []) {
    if (!response.headersSent) response.writeHead(200);
    response.write(`${JSON.stringify(toWireChange(change))}\n`);
  }
  response.end();
}

function toWireChange(change: ResourceChange): unknown {
  if (change.kind === "gone") return change;
  if (change.kind === "set") return { kind: "set", resource: toWire(change.resource) };
  return { kind: "snapshot", resources: change.resources.map(toWire) };
}

function toWire(resource: Resource): unknown {
  return { ...resource, policy: z.encode(policySchema, resource.policy) };
}
