import { StringDecoder } from "node:string_decoder";

/** Longest line that is kept; a longer one is dropped whole. */
const longestLine = 1_048_576;

/** Parts a stream into lines. @yields each line without its end, none longer than 1 MiB */
export async function* linesOf(stream: AsyncIterable<unknown>): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let isTooLong = false;
  for await (const chunk of stream) {
    const pieces = (rest + decoder.write(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)))).split("\n");
    rest = pieces.pop() ?? "";
    for (const line of pieces) {
      if (!isTooLong && line.trim() !== "") yield line;
      isTooLong = false;
    }
    if (rest.length <= longestLine) continue;
    isTooLong = true;
    rest = "";
  }
}
