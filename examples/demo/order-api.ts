import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binOf } from "./bin-of.ts";
import type { DemoService } from "./demo-service.ts";

/** json-server on a file; each exchange is a POST, which may reach the server once and no more. */
export function orderApi(parent: string, port: number): DemoService {
  const file = fileIn(parent);
  writeFileSync(file, JSON.stringify({ orders: [] }));
  return {
    name: "api",
    title: "json-server",
    port,
    command: [binOf("json-server"), "--host", "127.0.0.1", "--port", String(port), "--quiet", file],
    warmExchanges: 30,
    sample: "/orders?_limit=3",
    async exchange(client, id, signal) {
      const { status, body, coldStart } = await client.post("/orders", { id, item: "acorn" }, signal);
      if (status !== 201 || orderId(JSON.parse(body)) !== id)
        throw new Error(`POST ${id}: ${status} ${body.slice(0, 200)}`);
      return { coldStart };
    },
  };
}

/** Ids of all orders in the server's file, one for each time it stored one. */
export function storedOrders(parent: string): readonly string[] {
  const { orders } = JSON.parse(readFileSync(fileIn(parent), "utf8")) as { orders: readonly unknown[] };
  return orders.map(orderId);
}

function fileIn(parent: string): string {
  return join(parent, "orders.json");
}

function orderId(order: unknown): string {
  return typeof order === "object" && order !== null && "id" in order ? String(order.id) : "";
}
