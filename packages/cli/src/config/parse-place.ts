const step = /\.?([\w-]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;

/** A key path as messages print it, taken apart: `scalers[0].use` gives `["scalers", 0, "use"]`; undefined where it is none. */
export function parsePlace(place: string): readonly (string | number)[] | undefined {
  const path: (string | number)[] = [];
  step.lastIndex = 0;
  while (step.lastIndex < place.length) {
    const found = step.exec(place);
    if (found === null) return undefined;
    path.push(toKey(found));
  }
  return path;
}

function toKey([, name, index, quoted]: RegExpExecArray): string | number {
  if (name !== undefined) return name;
  return index === undefined ? (JSON.parse(quoted ?? '""') as string) : Number(index);
}
