import { UsageError } from "../usage-error.ts";
import { headerOf, type WholeReply } from "./reply.ts";
import { idsIn } from "./request-id.ts";

/** Where a service says which request its answer is for. */
export type EchoPlace =
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "body" }
  | { readonly kind: "json"; readonly field: string }
  /** Nowhere: nobody can see whether answers were swapped. */
  | { readonly kind: "none" };

/** What `--echo` says; `auto`: to be found out by the first answer. */
export type EchoChoice = EchoPlace | { readonly kind: "auto" };

/** @throws UsageError */
export function parseEcho(text: string): EchoChoice {
  const [kind = "", ...rest] = text.split(":");
  const name = rest.join(":").trim();
  if ((kind === "auto" || kind === "body" || kind === "none") && rest.length === 0) return { kind };
  if (kind === "header" && name !== "") return { kind, name };
  if (kind === "json" && name !== "") return { kind, field: name };
  throw new UsageError(`--echo "${text}" is none; write auto, body, header:NAME, json:FIELD or none`);
}

/** The place at which an answer to this id has it, as far as one was chosen; undefined: it is not there. */
export function findEcho(choice: EchoChoice, reply: WholeReply, id: string, idHeader: string): EchoPlace | undefined {
  const places: readonly EchoPlace[] =
    choice.kind === "auto" ? [{ kind: "header", name: idHeader }, { kind: "body" }] : [choice];
  return places.find((place) => place.kind === "none" || idsIn(textAt(place, reply)).has(id));
}

/** The part of an answer in which the id stands. */
export function textAt(place: EchoPlace, { headers, text }: WholeReply): string {
  switch (place.kind) {
    case "header":
      return headerOf(headers, place.name);
    case "body":
      return text;
    case "json":
      return fieldOf(text, place.field);
    case "none":
      return "";
  }
}

/** `the header X-Request-Id`, as part of a sentence. */
export function describeEcho(place: EchoPlace): string {
  switch (place.kind) {
    case "header":
      return `the header ${place.name}`;
    case "body":
      return "the body";
    case "json":
      return `the JSON field ${place.field}`;
    case "none":
      return "nothing";
  }
}

/** A field of a JSON object, `a.b` for one within another; empty where there is none. */
function fieldOf(text: string, path: string): string {
  try {
    let value: unknown = JSON.parse(text);
    for (const name of path.split("."))
      value = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
    return typeof value === "string" ? value : "";
  } catch {
    return "";
  }
}
