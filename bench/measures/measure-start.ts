import { fileURLToPath } from "node:url";
import { systemClock } from "@dormouse/core";
import { acceptsConnections } from "../host/accepts-connections.ts";
import type { BenchContext } from "../host/bench-context.ts";
import { DormouseHost } from "../host/dormouse-host.ts";
import { until } from "../host/until.ts";
import { median } from "./statistics.ts";

const upstream = fileURLToPath(new URL("../children/upstream.mjs", import.meta.url));

/** From starting `dormouse up` to its listener's accepting a connection: the median of several starts, in ms. */
export async function measureStart(context: BenchContext): Promise<number> {
  context.tell(`start: dormouse up, ${context.sizes.starts} times`);
  const resources = [{ name: "one", command: [process.execPath, upstream], policy: { hosts: ["one.localhost"] } }];
  const times: number[] = [];
  for (let start = 0; start < context.sizes.starts; start++) {
    const host = await DormouseHost.spawn(context, { resources });
    await until("dormouse up listens", async () => acceptsConnections(host.dlxPort), 1);
    times.push(systemClock.monotonic() - host.spawnedAt);
    await host[Symbol.asyncDispose]();
  }
  return median(times);
}
