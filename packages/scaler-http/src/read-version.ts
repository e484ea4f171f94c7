import { type HttpAnswer, type HttpCall, JsonPath, parseJson, quote, toContentFailure } from "@dormouse/http-json";
import type { CompareAndSet } from "./http-options.ts";

/** Longer ones are taken for a mistake. */
const longestVersion = 1_000;

/** The version that an answer has, of a read or of a write. @throws HttpFailure where it has none that a write could be conditional on */
export function readVersion(
  call: HttpCall,
  answer: HttpAnswer,
  { version }: CompareAndSet,
  document?: unknown,
): string {
  const found = version === "etag" ? answer.headers["etag"] : atPath(version, document ?? parseJson(call, answer));
  if (found === undefined)
    throw toContentFailure(
      call,
      `has no version (${version === "etag" ? "header ETag" : version}), which compareAndSet needs`,
    );
  if (version === "etag" && found.startsWith("W/"))
    throw toContentFailure(
      call,
      `has the weak ETag ${quote(found)}; a conditional write needs a strong one (RFC 9110, section 13.1.1)`,
    );
  return found;
}

function atPath(path: string, document: unknown): string | undefined {
  const values = new JsonPath(path).values(document);
  const [value] = values;
  if (values.length !== 1 || (typeof value !== "string" && typeof value !== "number")) return undefined;
  const text = String(value);
  return text === "" || text.length > longestVersion ? undefined : text;
}
