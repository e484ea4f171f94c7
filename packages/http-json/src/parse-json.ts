import type { HttpAnswer, HttpCall } from "./http-call.ts";
import { quote, toContentFailure } from "./http-failure.ts";

/** The answer's body as JSON. @throws HttpFailure where it is none: HTML, cut off, empty */
export function parseJson(call: HttpCall, { text, headers }: HttpAnswer): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const type = headers["content-type"];
    const kind = type === undefined ? "" : ` (${quote(type)})`;
    throw toContentFailure(call, text.trim() === "" ? "is empty" : `is no JSON${kind}: ${quote(text)}`, cause);
  }
}
