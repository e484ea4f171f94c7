import { isScalerError, parseRef, type ResourceRef } from "@dormouse/core";

/** What somebody wrote to name a resource leads to none, or to several. */
export class UnknownResource extends Error {
  override readonly name = "UnknownResource";
}

/**
 * The resource that somebody means: `scaler/namespace/name`, `scaler/name` in the namespace `default`, or a name alone where
 * only one resource has it.
 *
 * @param known printed refs of all resources
 * @throws UnknownResource with what was meant, as far as that is clear
 */
export function resolveRef(text: string, known: readonly string[]): ResourceRef {
  const exact = parse(text);
  if (exact !== undefined && known.includes(exact.key)) return exact.ref;
  const named = known.filter((key) => key.endsWith(`/${text}`));
  const only = parse(named[0] ?? "");
  if (named.length === 1 && only !== undefined) return only.ref;
  if (named.length > 1)
    throw new UnknownResource(`"${text}" could be any of ${named.join(", ")}; write one of them out`);
  throw new UnknownResource(`there is no resource "${text}"; ${suggest(text, known)}`);
}

function parse(text: string): { readonly ref: ResourceRef; readonly key: string } | undefined {
  try {
    const ref = parseRef(text);
    return { ref, key: `${ref.scaler}/${ref.namespace}/${ref.name}` };
  } catch (error) {
    if (isScalerError(error)) return undefined;
    throw error;
  }
}

function suggest(text: string, known: readonly string[]): string {
  if (known.length === 0) return "the host knows none at all yet";
  const name = text.split("/").at(-1)?.toLowerCase() ?? text;
  const near = known.filter((key) => key.toLowerCase().includes(name)).slice(0, 5);
  return near.length > 0 ? `did you mean ${near.join(" or ")}?` : 'see "dormouse ls"';
}
