// Holds the rules that no other tool knows; docs/architecture.md has their reasons. Exits 1 and names every place that breaks one.
import { join } from "node:path";
import { ambientExceptions } from "./architecture/ambient-exceptions.ts";
import { checkArchitecture } from "./architecture/check-architecture.ts";

const problems = checkArchitecture(join(import.meta.dirname, ".."), ambientExceptions);
for (const { place, message } of problems) console.error(`${place} ${message}`);
console.log(problems.length === 0 ? "The architecture holds." : `${String(problems.length)} problems.`);
process.exitCode = problems.length === 0 ? 0 : 1;
