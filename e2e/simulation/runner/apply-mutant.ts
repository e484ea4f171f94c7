import { type LoadFnOutput, registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Mutant } from "./mutants.ts";

const root = join(import.meta.dirname, "../../..");

/** From here on this thread loads the mutated text of the mutant's files. Throws at the import of one that has changed since. */
export function applyMutant({ hole, edits }: Mutant): void {
  const edited = Map.groupBy(edits, ({ file }) => pathToFileURL(join(root, file)).href);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const changes = edited.get(url);
      if (changes === undefined) return loaded;
      let source = textOf(loaded.source);
      for (const { file, find, replace } of changes) {
        if (source.split(find).length !== 2) throw new Error(`mutant ${hole}: ${file} has changed; mend the mutant`);
        source = source.replace(find, () => replace);
      }
      return { ...loaded, source };
    },
  });
}

function textOf(source: LoadFnOutput["source"]): string {
  if (typeof source === "string") return source;
  if (source === undefined || source === null) throw new Error("a module without a text");
  return new TextDecoder().decode(source);
}
