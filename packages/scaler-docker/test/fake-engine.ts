import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** What an engine answers: a status and JSON, or text as it is; `never`: nothing. */
export interface FakeAnswer {
  readonly status?: number;
  readonly body: unknown;
}

/** Answers in an engine's stead, on a socket of its own that is gone after the test. @returns its endpoint */
export async function openFakeEngine(
  answer: (method: string, path: string) => FakeAnswer | "never" | undefined,
): Promise<string> {
  const folder = await temporaryFolder();
  const socket = join(folder, "docker.sock");
  await serve(
    createServer((request, response) => respond(request, response, answer)),
    socket,
  );
  return `unix://${socket}`;
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dormouse-engine-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Has a server listen until the test ends. */
export async function serve(
  server: Server,
  at: string | { readonly port: number; readonly host: string },
): Promise<void> {
  await new Promise<void>((resolve) => server.listen(at, resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
}

/** Answers one request as the engine would. */
export function respond(
  { method = "", url = "" }: IncomingMessage,
  response: ServerResponse,
  answer: (method: string, path: string) => FakeAnswer | "never" | undefined,
): void {
  const given = answer(method, url.replace(/\?.*$/, "")) ?? { status: 404, body: { message: "page not found" } };
  if (given === "never") return;
  const { status = 200, body } = given;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** As lists have it. */
export function listed(name: string, more: object = {}): object {
  return { Id: `id-${name}`, Names: [`/${name}`], Labels: { "dormouse.dev/enabled": "true" }, ...more };
}

/** As it is inspected while it runs. */
export function inspected(name: string, more: object = {}): object {
  return {
    Id: `id-${name}`,
    Name: `/${name}`,
    Created: "2026-01-01T00:00:00.5Z",
    Image: "sha256:1",
    State: { Status: "running", StartedAt: "2026-01-02T00:00:00Z", FinishedAt: "0001-01-01T00:00:00Z" },
    Config: { Image: "web:1", Labels: { "dormouse.dev/enabled": "true" }, ExposedPorts: { "8080/tcp": {} } },
    HostConfig: { NetworkMode: "bridge" },
    NetworkSettings: { Networks: { bridge: { IPAddress: "192.0.2.9" } } },
    ...more,
  };
}
