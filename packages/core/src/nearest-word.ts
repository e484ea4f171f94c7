import { closestMatch } from "leven";

/** The known word that somebody most likely meant, or undefined where none is near. Case, `-` and `_` make no difference. */
export function nearestWord(written: string, known: readonly string[]): string | undefined {
  const plain = new Map(known.map((word) => [toPlain(word), word]));
  const wanted = toPlain(written);
  const nearest = closestMatch(wanted, [...plain.keys()], { maxDistance: Math.min(4, Math.ceil(wanted.length * 0.4)) });
  return nearest === undefined ? undefined : plain.get(nearest);
}

function toPlain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, "");
}
