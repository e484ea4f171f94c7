import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** What becomes of one request. */
type Treatment =
  | "pass"
  /** It is carried out, and the answer is lost with the connection. */
  | "lose-answer"
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: object };

/** A request that came by. */
interface Passed {
  readonly method: string;
  readonly path: string;
}

/** A way to the API server that sees each request, and may treat it badly. */
export interface Gateway {
  readonly kubeconfig: string;
  /** Requests so far; watches are not counted. */
  readonly passed: readonly Passed[];
  /** Requests so far that write, without those that only ask for rights. */
  writes(): readonly Passed[];
  treat: (request: Passed) => Treatment;
}

/** Opens one beside the server of a kubeconfig, with its administrator's rights, for the test that calls this. */
export async function openGateway(kubeconfig: string): Promise<Gateway> {
  const text = readFileSync(kubeconfig, "utf8");
  const target = new URL(field(text, "server") ?? "");
  const agent = new Agent({
    ca: material(text, "certificate-authority"),
    cert: material(text, "client-certificate"),
    key: material(text, "client-key"),
    keepAlive: true,
  });
  const token = field(text, "token");
  const passed: Passed[] = [];
  const gateway: { treat: Gateway["treat"] } = { treat: () => "pass" };
  const handle = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { method = "GET", url = "/", headers } = incoming;
    const seen = { method, path: url };
    const treatment = gateway.treat(seen);
    if (!url.includes("watch=true")) passed.push(seen);
    if (typeof treatment === "object") {
      incoming.resume();
      outgoing.writeHead(treatment.status, { "content-type": "application/json", ...treatment.headers });
      return void outgoing.end(JSON.stringify(treatment.body ?? {}));
    }
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const upstream = request(
      {
        agent,
        host: target.hostname,
        port: target.port,
        method,
        path: url,
        headers: { ...headers, ...authorization, host: target.host },
      },
      (answer) => {
        if (treatment === "lose-answer") {
          answer.resume();
          answer.on("end", () => incoming.socket.destroy());
          return;
        }
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    upstream.on("error", () => outgoing.destroy());
    outgoing.on("close", () => upstream.destroy());
    incoming.pipe(upstream);
  };
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const folder = await mkdtemp(join(tmpdir(), "dormouse-gateway-"));
  const own = join(folder, "kubeconfig");
  await writeFile(own, toKubeconfig(`http://127.0.0.1:${String(port)}`, {}, { "insecure-skip-tls-verify": true }), {
    mode: 0o600,
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    agent.destroy();
    await rm(folder, { recursive: true, force: true });
  });
  return Object.assign(gateway, {
    kubeconfig: own,
    passed,
    writes: () => passed.filter(({ method, path }) => method !== "GET" && !path.includes("selfsubjectaccessreviews")),
  });
}

/** A kubeconfig for one user of one server. */
export function toKubeconfig(server: string, user: object = {}, cluster: object = {}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server, ...cluster } }],
    users: [{ name: "test", user }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    "current-context": "test",
  });
}

/** The value of a field of a kubeconfig, wherever it is: files of tests have one cluster and one user. */
export function field(text: string, name: string): string | undefined {
  return new RegExp(`\\b${name}"?: *"?([^"\\s,}]+)`).exec(text)?.[1];
}

function material(text: string, name: string): Buffer | undefined {
  const data = field(text, `${name}-data`);
  if (data !== undefined) return Buffer.from(data, "base64");
  const path = field(text, name);
  return path === undefined ? undefined : readFileSync(path);
}
