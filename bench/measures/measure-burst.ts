import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchContext } from "../host/bench-context.ts";
import type { ChildProgram } from "../host/child-program.ts";
import { DormouseHost } from "../host/dormouse-host.ts";
import { freePort } from "../host/free-port.ts";
import { nodeFromSource } from "../host/node-from-source.ts";
import { until } from "../host/until.ts";
import type { LoadOrder, LoadResult } from "./generate-load.ts";
import type { BurstOrder, BurstResult } from "./send-burst.ts";

const gatedService = fileURLToPath(new URL("../children/gated-service.mjs", import.meta.url));
const upstream = fileURLToPath(new URL("../children/upstream.mjs", import.meta.url));
const holdingServer = fileURLToPath(new URL("../children/holding-server.mjs", import.meta.url));
const burstClient = fileURLToPath(new URL("../children/burst-client.ts", import.meta.url));
const loadGenerator = fileURLToPath(new URL("../children/load-generator.ts", import.meta.url));
const memoryProbe = new URL("../children/memory-probe.mjs", import.meta.url).href;

const heldHost = "held.localhost";
const neighbourHost = "neighbour.localhost";

export interface BurstFigures {
  readonly sent: number;
  readonly answered: number;
  readonly problems: readonly string[];
  /** Memory of one held request, in bytes: resident memory after a collection, while all are held, less before. */
  readonly bytesPerHeld: number;
  /** The same of a bare node:http server that holds the same requests. */
  readonly bareBytesPerHeld: number;
  /** Another resource, awake, over one connection: before the burst and while all are held. */
  readonly neighbourBefore: LoadResult;
  readonly neighbourMeanwhile: LoadResult;
}

/** Holds many requests to one sleeping service until told, weighs them, and lets them all be answered. */
export async function measureBurst(context: BenchContext): Promise<BurstFigures> {
  context.tell(`burst: ${context.sizes.heldRequests} requests to one sleeping service`);
  const bareBytesPerHeld = await weighBareServer(context);
  const folder = context.folder();
  const gate = join(folder, "gate");
  const report = join(folder, "memory.json");
  const host = await startHost(context, gate, report);
  const client = context.start([...nodeFromSource, burstClient], { ipc: true });
  const generator = context.start([...nodeFromSource, loadGenerator], { ipc: true });
  const askNeighbour = async (): Promise<LoadResult> => loadNeighbour(context, generator, host);
  await askNeighbour();
  const neighbourBefore = await askNeighbour();
  const count = context.sizes.heldRequests;
  const before = await residentBytes(host.program, report);
  const burst = client.ask({ origin: host.origin, host: heldHost, count } satisfies BurstOrder);
  await until(`${count} requests are held`, async () => (await host.resource("held")).held === count, 50);
  const bytesPerHeld = ((await residentBytes(host.program, report)) - before) / count;
  const neighbourMeanwhile = await askNeighbour();
  writeFileSync(gate, "");
  const { answered, problems } = (await burst) as BurstResult;
  await host[Symbol.asyncDispose]();
  return { sent: count, answered, problems, bytesPerHeld, bareBytesPerHeld, neighbourBefore, neighbourMeanwhile };
}

async function startHost(context: BenchContext, gate: string, report: string): Promise<DormouseHost> {
  const resources = [
    {
      name: "held",
      command: [process.execPath, gatedService],
      env: { GATE: gate, NODE_OPTIONS: "" },
      policy: { hosts: [heldHost], maxHeld: 5_000, holdTimeout: "2m" },
    },
    {
      name: "neighbour",
      command: [process.execPath, upstream],
      env: { NODE_OPTIONS: "" },
      policy: { hosts: [neighbourHost] },
    },
  ];
  return DormouseHost.start(context, { resources, preload: memoryProbe, env: { MEMORY_REPORT: report } });
}

async function weighBareServer(context: BenchContext): Promise<number> {
  const port = await freePort();
  const report = join(context.folder(), "memory.json");
  const env = { PORT: String(port), NODE_OPTIONS: `--import=${memoryProbe}`, MEMORY_REPORT: report };
  const server = context.start([process.execPath, holdingServer], { env, ipc: true });
  await server.nextMessage();
  const client = context.start([...nodeFromSource, burstClient], { ipc: true });
  const count = context.sizes.heldRequests;
  const before = await residentBytes(server, report);
  const order: BurstOrder = { origin: `http://127.0.0.1:${port}`, host: heldHost, count };
  const burst = client.ask(order);
  await until("the bare server holds all", async () => (await server.ask("count")) === count, 50);
  const bytes = ((await residentBytes(server, report)) - before) / count;
  server.tell("release");
  const { answered } = (await burst) as BurstResult;
  if (answered !== count) throw new Error(`the bare server answered ${answered} of ${count}`);
  await Promise.all([client.end(), server.end()]);
  return bytes;
}

async function loadNeighbour(context: BenchContext, generator: ChildProgram, host: DormouseHost): Promise<LoadResult> {
  const amount = context.sizes.neighbourRequests;
  const order: LoadOrder = { url: host.origin, host: neighbourHost, connections: 1, amount };
  return (await generator.ask(order)) as LoadResult;
}

/** Resident memory of a program that has loaded the memory probe, after a collection. */
async function residentBytes(program: ChildProgram, report: string): Promise<number> {
  rmSync(report, { force: true });
  program.signal("SIGUSR2");
  await until("memory was reported", () => existsSync(report) && readFileSync(report, "utf8").endsWith("}"));
  return (JSON.parse(readFileSync(report, "utf8")) as NodeJS.MemoryUsage).rss;
}
