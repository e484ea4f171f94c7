import { z } from "zod";
import {
  capabilitiesSchema,
  changeSchema,
  failureSchema,
  paramsSchemas,
  refSchema,
  resourceSchema,
  resultSchemas,
} from "../src/protocol.ts";
import {
  rpcCancelSchema,
  rpcChangeSchema,
  rpcErrorSchema,
  rpcRequestSchema,
  rpcResponseSchema,
} from "../src/rpc-messages.ts";

/** A JSON Schema, of which no member is read here. */
type SchemaNode = Readonly<Record<string, unknown>>;

const wholeChange = z.union([
  changeSchema.options[0].extend({ resources: z.array(resourceSchema) }),
  changeSchema.options[1].extend({ resource: resourceSchema }),
  changeSchema.options[2],
]);

/** Lists are read entry by entry, so that one that is wrong leaves the others alone; their schema says what each has to be. */
function wholeResultOf(call: keyof typeof resultSchemas): z.ZodType {
  if (call === "listResources") return z.object({ resources: z.array(resourceSchema) });
  if (call === "getResource") return z.object({ resource: z.union([z.null(), resourceSchema]) });
  return resultSchemas[call];
}

/** Every message and every part of one that has a name, by that name. */
export const messageSchemas: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ["ref", refSchema],
  ["resource", resourceSchema],
  ["capabilities", capabilitiesSchema],
  ["failure", failureSchema],
  ["change", wholeChange],
  ...Object.entries(paramsSchemas).flatMap(([call, params]): [string, z.ZodType][] => [
    [`${call}.params`, params],
    [`${call}.result`, wholeResultOf(call as keyof typeof resultSchemas)],
  ]),
  ["stdio.request", rpcRequestSchema],
  ["stdio.cancel", rpcCancelSchema],
  ["stdio.response", rpcResponseSchema],
  ["stdio.error", rpcErrorSchema],
  ["stdio.change", rpcChangeSchema],
]);

/** The JSON Schema (2020-12) of every message, each under `$defs`: `setScale.params`, `setScale.result`, `failure`, … */
export function toProtocolJsonSchema(): SchemaNode {
  const named = z.registry<{ id: string }>();
  for (const [id, schema] of messageSchemas) named.add(schema, { id });
  const { schemas } = z.toJSONSchema(named, { io: "input", uri: (id) => `#/$defs/${id}`, target: "draft-2020-12" });
  // One document has one $schema, and its parts are named by their place in it.
  const ownOnly = ([key]: readonly [string, unknown]): boolean => key !== "$schema" && key !== "$id";
  const defs = Object.entries(schemas).map(([id, schema]) => [
    id,
    Object.fromEntries(Object.entries(schema).filter(ownOnly)),
  ]);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Messages between Dormouse and a scaler in another language, version 1",
    $defs: Object.fromEntries(defs) as SchemaNode,
  };
}
