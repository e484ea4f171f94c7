import type { LocalRef } from "@dormouse/core";
import { z } from "zod";

const placeholder = /\{\{([^}]*)\}\}/g;
const known = ["namespace", "name"];

/** Text that may hold `{{namespace}}` and `{{name}}`. */
export const templateSchema = z
  .string()
  .max(2_000)
  .refine((text) => [...text.matchAll(placeholder)].every((match) => known.includes((match[1] ?? "").trim())), {
    error: "has an unknown placeholder; known are {{namespace}} and {{name}}",
  });

/** Puts a resource's namespace and name into a template of a URL; a colon in them is escaped. */
export function fillTemplate(text: string, { namespace, name }: LocalRef): string {
  return fillWith(text, { namespace: encodeURIComponent(namespace), name: encodeURIComponent(name) });
}

/** The same as they are, for a template that is no URL: names have nothing in them that ends a quoted text. */
export function fillPlainTemplate(text: string, { namespace, name }: LocalRef): string {
  return fillWith(text, { namespace, name });
}

function fillWith(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(placeholder, (whole, key: string) => values[key.trim()] ?? whole);
}

/** Whether a name could lead to another path: `..` does, however it is escaped (https://url.spec.whatwg.org/#double-dot-path-segment). */
export function leavesPath({ namespace, name }: LocalRef): boolean {
  return [namespace, name].some((part) => /^\.{1,2}$/.test(part));
}
