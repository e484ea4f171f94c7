import { readFileSync, writeFileSync } from "node:fs";
import { generatedFiles } from "./generated-files.ts";

// Writes the JSON Schema of dormouse.yaml and the tables of the documentation that follow from the same schemas.
for (const { path, render } of generatedFiles) {
  const current = path.endsWith(".md") ? readFileSync(path, "utf8") : "";
  writeFileSync(path, render(current));
}
