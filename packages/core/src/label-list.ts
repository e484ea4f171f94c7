/** A comma-separated list as one text; a backslash stands before commas, backslashes, and spaces at an entry's ends. */
export function joinLabelList(entries: readonly string[]): string {
  return entries
    .map((entry) => entry.replaceAll(/[\\,]|^\s+|\s+$/g, (found) => found.replaceAll(/[\s\S]/g, "\\$&")))
    .join(",");
}

/** Entries without the spaces around them; what a backslash precedes always counts. Empty entries are none. */
export function splitLabelList(text: string): string[] {
  const entries: string[] = [];
  let entry = "";
  let keptLength = 0;
  const finish = (): void => {
    if (keptLength > 0) entries.push(entry.slice(0, keptLength));
    entry = "";
    keptLength = 0;
  };
  for (const [character, isEscaped] of charactersOf(text)) {
    if (character === "," && !isEscaped) finish();
    else if (isEscaped || !/\s/.test(character)) keptLength = (entry += character).length;
    else if (keptLength > 0) entry += character;
  }
  finish();
  return entries;
}

function* charactersOf(text: string): Generator<readonly [character: string, isEscaped: boolean]> {
  for (let index = 0; index < text.length; index += 1) {
    const isEscaped = text[index] === "\\" && index + 1 < text.length;
    if (isEscaped) index += 1;
    yield [text.charAt(index), isEscaped];
  }
}
