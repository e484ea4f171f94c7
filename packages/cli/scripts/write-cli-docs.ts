import { writeFile } from "node:fs/promises";
import { renderCliDocs } from "./render-cli-docs.ts";
import { renderMetricDocs } from "./render-metric-docs.ts";

const docs = new URL("../../../docs/", import.meta.url);

await writeFile(new URL("cli.md", docs), renderCliDocs());
await writeFile(new URL("observability.md", docs), await renderMetricDocs(new URL("observability.md", docs)));
