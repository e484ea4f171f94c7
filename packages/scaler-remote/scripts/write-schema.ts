import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fillInFiles } from "./fill-in-docs.ts";
import { toProtocolJsonSchema } from "./protocol-json-schema.ts";

// Writes the JSON Schema of the protocol's messages, and the example into the page about it.
const schema = fileURLToPath(new URL("../protocol.schema.json", import.meta.url));
writeFileSync(schema, `${JSON.stringify(toProtocolJsonSchema(), undefined, 2)}\n`);
const page = fileURLToPath(new URL("../../../docs/remote-scalers.md", import.meta.url));
writeFileSync(page, fillInFiles(readFileSync(page, "utf8")));
