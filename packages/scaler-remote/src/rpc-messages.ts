import { z } from "zod";
import { failureSchema } from "./protocol.ts";

const jsonrpc = z.literal("2.0");

/** A call as it is written to a child's stdin, one line each: https://www.jsonrpc.org/specification. */
export const rpcRequestSchema = z.object({
  jsonrpc,
  id: z.int(),
  method: z.string(),
  params: z.record(z.string(), z.unknown()),
});

/** Tells the remote that nobody waits for a call any more. */
export const rpcCancelSchema = z.object({
  jsonrpc,
  method: z.literal("$/cancel"),
  params: z.object({ id: z.int() }),
});

/** JSON-RPC's own error object, with ours in `data`. */
export const rpcErrorSchema = z.object({
  code: z.number().meta({ description: "-32601: the remote does not know the call; else what it likes" }),
  message: z.string(),
  data: failureSchema.omit({ message: true }).nullish(),
});

/** A result or an error, with the id of its request. */
export const rpcResponseSchema = z.union([
  z.object({ jsonrpc, id: z.int(), error: rpcErrorSchema }),
  z.object({ jsonrpc, id: z.int(), result: z.unknown() }),
]);

/** One item of the watch whose request had this id. */
export const rpcChangeSchema = z.object({
  jsonrpc,
  method: z.literal("$/change"),
  params: z.object({ id: z.int(), change: z.unknown() }),
});
