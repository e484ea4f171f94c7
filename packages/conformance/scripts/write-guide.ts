import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fillInGuide } from "./guide-parts.ts";

// Writes the example's code and the table of rules into the guide for plugin authors.
const guide = fileURLToPath(new URL("../../../docs/writing-a-scaler.md", import.meta.url));
writeFileSync(guide, fillInGuide(readFileSync(guide, "utf8")));
