// What every fixture service does with its server: it listens where the host says, once its START_GATE is open.
import type { Server } from "node:net";
import { gate } from "./gates.ts";

export async function listen(server: Server): Promise<void> {
  await gate(process.env["START_GATE"]);
  server.listen(Number(process.env["PORT"]));
}
