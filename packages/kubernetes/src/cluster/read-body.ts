import { ScalerError } from "@dormouse/core";

/** Bytes of an answer, and of one line of a stream. */
const mostBytes = 64 * 1024 * 1024;

const newline = 0x0a;

/** The whole body as text. @throws ScalerError `SCALER_UNAVAILABLE` where it is too large */
export async function readText(body: AsyncIterable<Buffer>, most = mostBytes): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > most) throw tooLarge("answer", most);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Each line of a body, parsed. @throws ScalerError `SCALER_UNAVAILABLE` for a line that is too large, no JSON, or cut off */
export async function* readJsonLines(body: AsyncIterable<Buffer>, most = mostBytes): AsyncGenerator<unknown, void> {
  let pending: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const line = Buffer.concat([...pending, chunk.subarray(start, end)]).toString("utf8");
      pending = [];
      bytes = 0;
      start = end + 1;
      if (line.trim() !== "") yield parseJson(line);
    }
    bytes += chunk.length - start;
    if (bytes > most) throw tooLarge("line", most);
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  if (bytes > 0) throw new ScalerError("SCALER_UNAVAILABLE", "the answer broke off within a line");
}

/** @throws ScalerError `SCALER_UNAVAILABLE`: whoever wrote it was not the API server, or did not get to its end */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ScalerError("SCALER_UNAVAILABLE", `the answer is no JSON: ${text.slice(0, 100)}`, { cause });
  }
}

function tooLarge(what: string, most: number): ScalerError {
  return new ScalerError(
    "SCALER_UNAVAILABLE",
    `the ${what} has more than ${String(Math.floor(most / 2 ** 20))} MiB, which is more than we take`,
    { retryable: false },
  );
}
