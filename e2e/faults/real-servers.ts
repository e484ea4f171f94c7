import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../harness/free-port.ts";
import type { ResourceConfig } from "../harness/host-config.ts";
import type { SendOptions, ServiceAnswer } from "../harness/traffic.ts";

/** A server from npm that knows nothing of Dormouse, and what it is asked for. */
export interface RealServer {
  readonly resource: ResourceConfig;
  readonly requests: readonly SendOptions[];
  readonly isAnswer: (id: string, answer: ServiceAnswer) => boolean;
  /** Ids of the requests that it executed; undefined: it keeps no ledger. */
  readonly executed: () => readonly string[] | undefined;
}

// Long enough to be used several times before it sleeps: these take half a second of a core to start.
const policy = { idleAfter: "700ms", minAwake: 0, holdTimeout: "15s" };

/** http-server with one page, of which every byte is compared. */
export function httpServer(folder: string, name: string): RealServer {
  const page = "<!doctype html><title>Page</title><h1>All of it</h1>\n";
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, "page.html"), page);
  return {
    resource: resourceOf(name, [binOf("http-server"), join(folder, name), "-c-1", "--silent"]),
    requests: [{ path: "/page.html" }],
    isAnswer: (_id, { status, text }) => status === 200 && text === page,
    executed: () => undefined,
  };
}

/** json-server, which stores what is posted in a file under the request's id. */
export async function jsonServer(folder: string, name: string): Promise<RealServer> {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify({ orders: [] }));
  const headers = { "content-type": "application/json" };
  const port = await freePort(); // the variable PORT says nothing to it
  const toBody = (id: string): string => JSON.stringify({ id, item: "acorn" });
  return {
    resource: { ...resourceOf(name, [binOf("json-server"), "--quiet", "--port", String(port), file]), port },
    requests: [{ method: "POST", path: "/orders", headers, body: toBody }],
    isAnswer: (id, { status, body }) => status === 201 && body["id"] === id,
    executed: () => (JSON.parse(readFileSync(file, "utf8")) as { orders: { id: string }[] }).orders.map(({ id }) => id),
  };
}

function resourceOf(name: string, command: readonly string[]): ResourceConfig {
  return { name, command, policy: { hosts: [`${name}.test`], ...policy } };
}

/** The command that an npm package of the examples installs, as it was published. */
function binOf(command: string): string {
  return fileURLToPath(new URL(`../../examples/node_modules/.bin/${command}`, import.meta.url));
}
