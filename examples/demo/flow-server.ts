import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binOf } from "./bin-of.ts";
import type { DemoService } from "./demo-service.ts";

const settings = `module.exports = {
  uiHost: "127.0.0.1",
  credentialSecret: false,
  telemetry: { enabled: false, updateNotification: false },
  logging: { console: { level: "error" } },
};
`;

const flow = [
  { id: "tab", type: "tab", label: "greetings" },
  { id: "in", type: "http in", z: "tab", url: "/greet", method: "get", wires: [["text"]] },
  { id: "text", type: "template", z: "tab", field: "payload", template: "hello {{payload.id}}", wires: [["out"]] },
  { id: "out", type: "http response", z: "tab", wires: [] },
];

/** Node-RED with one flow that greets. It is slow to start, and has routes only a while after it listens. */
export function flowServer(parent: string, port: number): DemoService {
  const folder = join(parent, "flows");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "settings.js"), settings);
  writeFileSync(join(folder, "flows.json"), JSON.stringify(flow));
  return {
    name: "flows",
    title: "node-red",
    port,
    command: [binOf("node-red"), "--port", String(port), "--userDir", folder, "flows.json"],
    warmExchanges: 30,
    sample: "/greet?id=you",
    readiness: "/greet",
    async exchange(client, id, signal) {
      const { status, body, coldStart } = await client.get(`/greet?id=${id}`, signal);
      if (status !== 200 || body !== `hello ${id}`) throw new Error(`GET ${id}: ${status} ${body.slice(0, 200)}`);
      return { coldStart };
    },
  };
}
