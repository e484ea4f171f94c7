import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fillInMutants } from "./runner/mutant-table.ts";

// Writes the table of mutants into docs/protocol.md.
const page = join(import.meta.dirname, "../../docs/protocol.md");
writeFileSync(page, fillInMutants(readFileSync(page, "utf8")));
