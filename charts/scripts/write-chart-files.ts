import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { chartFiles } from "./chart-files.ts";

// Writes the schema of the chart's values, their table in its README, and the version of Dormouse that it installs.
for (const { url, render } of chartFiles) {
  writeFileSync(url, render(existsSync(url) ? readFileSync(url, "utf8") : ""));
}
