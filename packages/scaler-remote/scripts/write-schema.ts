import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { toProtocolJsonSchema } from "./protocol-json-schema.ts";

// Writes the JSON Schema of the protocol's messages.
const file = fileURLToPath(new URL("../protocol.schema.json", import.meta.url));
writeFileSync(file, `${JSON.stringify(toProtocolJsonSchema(), undefined, 2)}\n`);
