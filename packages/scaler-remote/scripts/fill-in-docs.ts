import { readFileSync } from "node:fs";

/** The page with each file of the repository that it shows between its `<!-- file: PATH -->` and the end of the code that follows. */
export function fillInFiles(page: string): string {
  return page.replaceAll(
    /(<!-- file: (\S+) -->\n\n```\w+\n)[^]*?(```\n)/g,
    (_, start: string, path: string, end: string) => {
      const file = readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
      return start + file + end;
    },
  );
}
