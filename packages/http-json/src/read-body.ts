import { type Clock, type Milliseconds, ScalerError } from "@dormouse/core";
import type { Dispatcher } from "undici";

type Body = Dispatcher.ResponseData["body"];

/** How long the rest of a body that nobody reads may take before its connection is given up. */
const leftoverMs: Milliseconds = 100;
const leftoverBytes = 64 * 1024;

/** The whole body as text; undefined where it has more bytes than it may, and then the rest is not read. */
export async function readText(body: Body, mostBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Lets the connection be used again where the body ends soon, else closes it. Never rejects. */
export async function discardBody(body: Body, clock: Clock): Promise<void> {
  const abort = new AbortController();
  const late = clock.sleep(leftoverMs, abort.signal).catch(() => {});
  const dumped = body.dump({ limit: leftoverBytes, signal: abort.signal }).catch(() => {});
  await Promise.race([dumped, late]);
  abort.abort(new ScalerError("SCALER_ABORTED", "the rest of the body is not needed"));
  body.on("error", () => {}).destroy();
}
