import { fileURLToPath } from "node:url";
import { configTables } from "./config-tables.ts";
import { toConfigJsonSchema } from "./config-json-schema.ts";
import { errorTables } from "./error-tables.ts";

/** A file that follows from core's schemas and tables, as a whole or in marked parts. */
export interface GeneratedFile {
  readonly path: string;
  /** What the file should contain, given what it contains now. */
  readonly render: (current: string) => string;
}

/** Everything that `pnpm schema` writes; a test holds that it is up to date. */
export const generatedFiles: readonly GeneratedFile[] = [
  { path: pathOf("../dormouse.schema.json"), render: () => `${JSON.stringify(toConfigJsonSchema(), undefined, 2)}\n` },
  { path: pathOf("../../../docs/configuration.md"), render: (current) => fillIn(current, configTables()) },
  { path: pathOf("../../../docs/errors.md"), render: (current) => fillIn(current, errorTables()) },
];

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

/** Puts each part between its `<!-- generated: NAME -->` and `<!-- end -->`; every part has its place. */
function fillIn(current: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const place = new RegExp(`(<!-- generated: ${name} -->\n)[^]*?(\n<!-- end -->)`);
    if (!place.test(text)) throw new Error(`there is no place for the part "${name}"`);
    return text.replace(place, (_match, start: string, end: string) => `${start}\n${part}\n${end}`);
  }, current);
}
