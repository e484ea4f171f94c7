import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchContext } from "../host/bench-context.ts";
import { DormouseHost } from "../host/dormouse-host.ts";
import { type Memory, MemoryReader, weightOfOne } from "../host/read-memory.ts";
import { until } from "../host/until.ts";
import { BurstClient, type BurstResult } from "./burst-client.ts";
import { LoadGenerator, type LoadResult } from "./load-generator.ts";
import { weighBareServer } from "./weigh-bare-server.ts";

const gatedService = fileURLToPath(new URL("../children/gated-service.mjs", import.meta.url));
const upstream = fileURLToPath(new URL("../children/upstream.mjs", import.meta.url));

const heldHost = "held.localhost";
const neighbourHost = "neighbour.localhost";

export interface BurstFigures {
  /** Requests of one burst. */
  readonly burst: number;
  /** Requests of both bursts. */
  readonly sent: number;
  readonly answered: number;
  readonly problems: readonly string[];
  /** Memory of one held request. */
  readonly weight: Memory;
  /** The same of a bare node:http server that holds the same requests. */
  readonly bareWeight: Memory;
  /** Another resource, awake, over one connection: before the burst and while all are held. */
  readonly neighbourBefore: LoadResult;
  readonly neighbourMeanwhile: LoadResult;
}

/** Some runs, each with hosts of its own. */
export async function measureBursts(context: BenchContext): Promise<readonly BurstFigures[]> {
  const runs: BurstFigures[] = [];
  for (let run = 1; run <= context.sizes.burstRuns; run++) {
    context.tell(`bursts: run ${run} of ${context.sizes.burstRuns}`);
    runs.push(await measureOnce(context));
  }
  return runs;
}

/**
 * Holds a burst of requests to one sleeping service, then a second one, which is weighed: the first fills whatever memory
 * the start of the process had left free. Then lets them all be answered.
 */
async function measureOnce(context: BenchContext): Promise<BurstFigures> {
  const { heldRequests: count, neighbourRequests: amount } = context.sizes;
  const generator = new LoadGenerator(context);
  const bareWeight = await weighBareServer(context);
  const gate = join(context.folder(), "gate");
  const memory = new MemoryReader(context.folder());
  const host = await startHost(context, gate, memory);
  const askNeighbour = async (): Promise<LoadResult> =>
    generator.send({ url: host.origin, host: neighbourHost, connections: 1, amount });
  await askNeighbour();
  const neighbourBefore = await askNeighbour();
  const burst = await holdMore(context, host, 1);
  const neighbourMeanwhile = await askNeighbour();
  const before = await memory.read(host.program);
  const second = await holdMore(context, host, 2);
  const weight = weightOfOne(before, await memory.read(host.program), count);
  writeFileSync(gate, "");
  const results = await Promise.all([burst.result, second.result]);
  await host[Symbol.asyncDispose]();
  return { burst: count, sent: 2 * count, ...sumOf(results), weight, bareWeight, neighbourBefore, neighbourMeanwhile };
}

/** Sends a burst, and resolves once all of it is held, with the result that is to come. */
async function holdMore(context: BenchContext, host: DormouseHost, bursts: number) {
  const count = context.sizes.heldRequests;
  const result = new BurstClient(context).send({ origin: host.origin, host: heldHost, count });
  await until(`burst ${bursts} is held`, async () => (await host.resource("held")).held === count * bursts, 50);
  return { result };
}

function sumOf(results: readonly BurstResult[]): Pick<BurstFigures, "answered" | "problems"> {
  const answered = results.reduce((sum, result) => sum + result.answered, 0);
  return { answered, problems: results.flatMap(({ problems }) => problems) };
}

async function startHost(context: BenchContext, gate: string, memory: MemoryReader): Promise<DormouseHost> {
  const plain = { NODE_OPTIONS: "" };
  const held = {
    name: "held",
    command: [process.execPath, gatedService],
    env: { ...plain, GATE: gate },
    policy: { hosts: [heldHost], maxHeld: 5_000, holdTimeout: "2m" },
  };
  const neighbour = {
    name: "neighbour",
    command: [process.execPath, upstream],
    env: plain,
    policy: { hosts: [neighbourHost] },
  };
  return DormouseHost.start(context, { resources: [held, neighbour], env: memory.env });
}
