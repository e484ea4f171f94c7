import { Pool } from "undici";
import type { BurstOrder, BurstResult } from "../measures/burst-client.ts";

/** Headers such as a browser or a client library sends, so that each held request weighs what it does in life. */
const typical = {
  accept: "application/json, text/plain, */*",
  "accept-encoding": "gzip, deflate, br",
  "accept-language": "en-GB,en;q=0.9,de;q=0.8",
  authorization: `Bearer ${"t".repeat(180)}`,
  "cache-control": "no-cache",
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
};

process.on("message", (order: BurstOrder) => {
  void run(order).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit());

async function run({ origin, host, count }: BurstOrder): Promise<BurstResult> {
  const pool = new Pool(origin, { connections: count, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  const problems = new Map<string, number>();
  const send = async (index: number): Promise<boolean> => {
    const path = `/held/${index}`;
    const problem = await ask(pool, path, host).catch((error: unknown) => String(error));
    if (problem !== undefined) problems.set(problem, (problems.get(problem) ?? 0) + 1);
    return problem === undefined;
  };
  const answers = await Promise.all(Array.from({ length: count }, async (_, index) => send(index)));
  await pool.destroy();
  return {
    answered: answers.filter(Boolean).length,
    problems: [...problems].map(([text, times]) => `${times} × ${text}`),
  };
}

/** What is wrong with the answer; undefined if it is the service's own to this path. */
async function ask(pool: Pool, path: string, host: string): Promise<string | undefined> {
  const { statusCode, body } = await pool.request({ method: "GET", path, headers: { ...typical, host } });
  const text = await body.text();
  return statusCode === 200 && text === `answered ${path}` ? undefined : `${statusCode} ${text.slice(0, 100)}`;
}
