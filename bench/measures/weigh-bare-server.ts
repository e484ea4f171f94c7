import { fileURLToPath } from "node:url";
import type { BenchContext } from "../host/bench-context.ts";
import { freePort } from "../host/free-port.ts";
import { type Memory, MemoryReader, weightOfOne } from "../host/read-memory.ts";
import { until } from "../host/until.ts";
import { BurstClient } from "./burst-client.ts";

const holdingServer = fileURLToPath(new URL("../children/holding-server.mjs", import.meta.url));
const host = "held.localhost";

/** What one request weighs that a bare node:http server holds: that of a second burst, as for Dormouse. */
export async function weighBareServer(context: BenchContext): Promise<Memory> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const memory = new MemoryReader(context.folder());
  const server = context.start([process.execPath, holdingServer], {
    env: { ...memory.env, PORT: String(port) },
    ipc: true,
  });
  await server.nextMessage();
  const count = context.sizes.heldRequests;
  const first = new BurstClient(context).send({ origin, host, count });
  await until("the bare server holds one burst", async () => (await server.ask("count")) === count, 50);
  const before = await memory.read(server);
  const second = new BurstClient(context).send({ origin, host, count });
  await until("the bare server holds both bursts", async () => (await server.ask("count")) === 2 * count, 50);
  const weight = weightOfOne(before, await memory.read(server), count);
  server.tell("release");
  const answered = (await Promise.all([first, second])).reduce((sum, result) => sum + result.answered, 0);
  if (answered !== 2 * count) throw new Error(`the bare server answered ${answered} of ${2 * count}`);
  await server.end();
  return weight;
}
