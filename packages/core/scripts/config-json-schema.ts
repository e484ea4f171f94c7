import { z } from "zod";
import { configSchema } from "../src/config-schema.ts";
import { defaultPolicy, policySchema } from "../src/policy.ts";

/** The parts of a JSON Schema that the documentation reads. */
export interface SchemaNode {
  readonly title?: string;
  readonly type?: string;
  readonly description?: string;
  default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly required?: readonly string[];
}

/** The JSON Schema (2020-12) of `dormouse.yaml` as it is written, with the defaults of policies filled in. */
export function toConfigJsonSchema(): SchemaNode {
  const schema = z.toJSONSchema(configSchema, { io: "input", target: "draft-2020-12" }) as SchemaNode;
  const written = z.encode(policySchema, defaultPolicy) as Readonly<Record<string, unknown>>;
  for (const [key, node] of Object.entries(schema.properties?.["defaults"]?.properties ?? {})) {
    if (written[key] !== undefined) node.default = written[key];
  }
  return { title: "Dormouse", description: "Configuration of a Dormouse host, dormouse.yaml", ...schema };
}
