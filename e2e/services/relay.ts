// A network between the DLX and the echo service, which it starts behind itself. SIGUSR2: the connections that there are now
// carry nothing any more, in either direction, and stay open. SIGHUP: they are reset. Once it knows these signals, there is a
// gate `relay.PID`.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../harness/free-port.ts";
import { listen } from "./listen.ts";

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

const folder = process.env["GATES"];
const port = await freePort();
const echo = fileURLToPath(new URL("./echo.ts", import.meta.url));
spawn(process.execPath, [echo], { env: { ...process.env, PORT: String(port) }, stdio: "inherit" });

const pairs = new Set<Pair>();

const server = createServer((near) => {
  const pair = { near, far: connect(port, "127.0.0.1") };
  pairs.add(pair);
  near.on("error", () => pair.far.destroy()).on("close", () => pairs.delete(pair));
  pair.far.on("error", () => near.destroy());
  near.pipe(pair.far).pipe(near);
});

process.on("SIGUSR2", () => {
  for (const { near, far } of pairs) for (const socket of [near, far]) socket.unpipe().pause();
  pairs.clear();
});

process.on("SIGHUP", () => {
  for (const { near, far } of pairs) {
    near.resetAndDestroy();
    far.destroy();
  }
});

if (folder !== undefined) writeFileSync(join(folder, `relay.${process.pid}`), "");
while (!(await answers())) await sleep(10);
await listen(server);

function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket.destroy() === socket));
    socket.on("error", () => resolve(false));
  });
}
