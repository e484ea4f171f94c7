// Runs on this machine and, as it stands, in a Pod: nothing but Node.
import { Agent, type IncomingMessage, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** Some requests, sent beside each other. */
export interface Burst {
  /** Without a path: `http://web`. */
  readonly origin: string;
  /** Ids are this and a number. */
  readonly prefix: string;
  readonly count: number;
  /** They begin within so much time, evenly. */
  readonly overMs: number;
  /** How long the service takes for each. */
  readonly serviceMs?: number;
  /** Bytes that each sends as its body, by POST; left out: every other one is a small POST, the rest are GETs. */
  readonly bodyBytes?: number;
  /** Whether some of the GETs share connections, which then stay open. */
  readonly keepsAlive?: boolean;
  /** How long one may take. */
  readonly limitMs?: number;
}

/** What became of one burst. */
export interface BurstResult {
  readonly ids: readonly string[];
  /** Those that did not end with 200 and their own id. */
  readonly failures: readonly { readonly id: string; readonly what: string }[];
  /** Names of the Pods that answered. */
  readonly pods: readonly string[];
  /** Of the slowest answer. */
  readonly longestMs: number;
  /** `Server-Timing` of those that waited for a wake. */
  readonly timings: readonly string[];
}

const kept = new Agent({ keepAlive: true });
const fresh = new Agent({ keepAlive: false });

/** Sends them all and waits for every end. Never rejects. */
export async function sendBurst(burst: Burst): Promise<BurstResult> {
  const failures: { id: string; what: string }[] = [];
  const pods = new Set<string>();
  const timings: string[] = [];
  let longestMs = 0;
  const ids = Array.from({ length: burst.count }, (_, index) => `${burst.prefix}${String(index)}`);
  const send = async (id: string, index: number): Promise<void> => {
    await sleep((burst.overMs * index) / burst.count);
    const begin = performance.now();
    try {
      const { pod, timing } = await sendOne(burst, id, index);
      pods.add(pod);
      if (timing !== undefined) timings.push(timing);
    } catch (error) {
      failures.push({ id, what: error instanceof Error ? error.message : String(error) });
    }
    longestMs = Math.max(longestMs, performance.now() - begin);
  };
  await Promise.all(ids.map(send));
  return { ids, failures, pods: [...pods], longestMs, timings };
}

interface GoodAnswer {
  readonly pod: string;
  readonly timing: string | undefined;
}

/**
 * A connection that stayed open may be closed by its server just as the next request sets out; clients send a GET again
 * then, on a new one (RFC 9112, 9.3.1). The service's ledger would tell if it had been executed before.
 */
async function sendOne(burst: Burst, id: string, index: number): Promise<GoodAnswer> {
  const bytes = burst.bodyBytes ?? (index % 2) * 100;
  const mayShare = burst.keepsAlive === true && bytes === 0 && index % 3 !== 0;
  if (!mayShare) return sendBy(fresh, burst, id, bytes);
  return sendBy(kept, burst, id, bytes).catch((error: unknown) => {
    if (error instanceof StaleConnection) return sendBy(fresh, burst, id, bytes);
    throw error;
  });
}

/** A connection that was used before has been closed. */
class StaleConnection extends Error {}

function sendBy(
  agent: Agent,
  { origin, serviceMs = 0, limitMs = 60_000 }: Burst,
  id: string,
  bytes: number,
): Promise<GoodAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<GoodAnswer>();
  const sent = request(`${origin}/?ms=${String(serviceMs)}`, {
    method: bytes > 0 ? "POST" : "GET",
    agent,
    headers: { "x-request-id": id, ...(bytes > 0 && { "content-length": bytes }) },
    signal: AbortSignal.timeout(limitMs),
  });
  let isAnswered = false;
  sent.once("response", (response) => {
    isAnswered = true;
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (part: string) => (text += part));
    response.once("error", reject);
    response.once("end", () => {
      try {
        resolve(judge(response, text, id, bytes));
      } catch (error) {
        reject(error);
      }
    });
  });
  sent.once("error", (error) =>
    reject(sent.reusedSocket && !isAnswered ? new StaleConnection(error.message, { cause: error }) : error),
  );
  sent.end(bytes > 0 ? Buffer.alloc(bytes, "x") : undefined);
  return promise;
}

/** @throws Error where it is not the answer of 200 to this very request */
function judge({ statusCode, headers }: IncomingMessage, text: string, id: string, bytes: number): GoodAnswer {
  if (statusCode !== 200) throw new Error(`status ${String(statusCode)}: ${text.slice(0, 300)}`);
  const answer = parse(text);
  if (answer.id !== id) throw new Error(`the answer is that to ${String(answer.id)}`);
  if (answer.bodyBytes !== bytes) throw new Error(`${String(answer.bodyBytes)} bytes of ${String(bytes)} came`);
  const isCold = headers["x-dormouse-cold-start"] === "true";
  return { pod: String(answer.pod), timing: isCold ? String(headers["server-timing"]) : undefined };
}

function parse(text: string): { readonly id?: unknown; readonly pod?: unknown; readonly bodyBytes?: unknown } {
  try {
    return JSON.parse(text) as object;
  } catch {
    return {};
  }
}
