import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fillInReasons } from "./reason-tables.ts";

// Writes the tables of reasons into the README.
const readme = fileURLToPath(new URL("../README.md", import.meta.url));
writeFileSync(readme, fillInReasons(readFileSync(readme, "utf8")));
