import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { Pool } from "undici";
import type { LoadOrder, LoadResult } from "../measures/load-generator.ts";

process.on("message", (order: LoadOrder) => {
  void run(order).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit());

async function run({ url, host, connections, amount }: LoadOrder): Promise<LoadResult> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const times = createHistogram({ figures: 4 });
  const counts = { left: amount, answered: 0, failed: 0 };
  const sendInTurn = async (): Promise<void> => {
    while (counts.left > 0) {
      counts.left--;
      if (await send(pool, host, times)) counts.answered++;
      else counts.failed++;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: connections }, sendInTurn));
  const tookMs = performance.now() - start;
  await pool.destroy();
  const p50Ms = times.percentile(50) / 1e6;
  return { answered: counts.answered, failed: counts.failed, tookMs, p50Ms, p99Ms: times.percentile(99) / 1e6 };
}

/** Whether the answer was a success; its time goes into the histogram either way, in nanoseconds. */
async function send(pool: Pool, host: string, times: RecordableHistogram): Promise<boolean> {
  const start = process.hrtime.bigint();
  try {
    const { statusCode, body } = await pool.request({ method: "GET", path: "/", headers: { host } });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  } finally {
    times.record(process.hrtime.bigint() - start);
  }
}
