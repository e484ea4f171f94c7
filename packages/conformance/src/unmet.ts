import { inspect } from "node:util";

/** Something that a rule expected and did not see. */
export class Unmet extends Error {
  override readonly name = "Unmet";
  readonly expected: string;
  readonly seen: string;

  constructor(expected: string, seen: string, options: { readonly cause?: unknown } = {}) {
    super(`expected ${expected}; seen ${seen}`, options);
    this.expected = expected;
    this.seen = seen;
  }
}

/** @throws Unmet where it does not hold */
export function expect(holds: boolean, expected: string, seen: unknown): asserts holds {
  if (!holds) throw new Unmet(expected, typeof seen === "string" ? seen : show(seen));
}

/** A value in one line of bounded length. */
export function show(value: unknown): string {
  const text = value instanceof Error ? showError(value) : inspect(value, { depth: 4, breakLength: Infinity });
  return text.length <= 400 ? text : `${text.slice(0, 400)}…`;
}

function showError(error: Error): string {
  const code: unknown = Reflect.get(error, "code");
  return [error.name, ...(typeof code === "string" ? [code] : []), error.message].join(" ");
}
