import { compile, type JSONPathQuery, type JSONValue } from "json-p3";
import { fillPlainTemplate, templateSchema } from "./fill-template.ts";

/** A path is a few names; a longer one is taken for a mistake. */
const longestPath = 1_000;

const sample = { namespace: "namespace", name: "name" };

/** Text of a JSONPath query (RFC 9535), such as `$.cpu.highPriority`; may hold `{{namespace}}` and `{{name}}`. */
export const jsonPathSchema = templateSchema.max(longestPath).superRefine((text, context) => {
  const problem = problemOf(fillPlainTemplate(text, sample));
  if (problem === undefined) return;
  const mend = 'write for example "$.replicas"';
  context.addIssue({ code: "custom", message: `${JSON.stringify(text)} is no JSONPath (${problem}); ${mend}` });
});

function problemOf(text: string): string | undefined {
  try {
    compile(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A compiled JSONPath query (RFC 9535). It is interpreted: nothing of it is ever run as code. */
export class JsonPath {
  readonly text: string;
  readonly #query: JSONPathQuery;

  /** @param text as `jsonPathSchema` has accepted it */
  constructor(text: string) {
    this.text = text;
    this.#query = compile(text);
  }

  /** Every value that the path leads to, in the document's order; none where it leads nowhere. Throws where the document is too deep to search. */
  values(document: unknown): readonly unknown[] {
    return this.#query.query(document as JSONValue).values();
  }

  toString(): string {
    return this.text;
  }
}
