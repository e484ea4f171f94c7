import { connect, createServer, type Socket } from "node:net";

/** A socket in front of the engine's that a test can cut or let hang. */
export interface EngineLink extends AsyncDisposable {
  /** `open`: as usual; `stalled`: nothing passes any more, connections stay; `cut`: connections are reset, new ones too. */
  set(state: "open" | "stalled" | "cut"): void;
}

/** Opens a socket at `path` that leads to `socket`. */
export async function openEngineLink(socket: string, path: string): Promise<EngineLink> {
  const sockets = new Set<Socket>();
  let state: "open" | "stalled" | "cut" = "open";
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (state === "cut") return void client.destroy();
    const upstream = connect({ path: socket, allowHalfOpen: true });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => {
        if (state === "open") to.write(chunk);
      });
      from.on("end", () => to.end());
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    set: (next) => {
      const wasStalled = state === "stalled";
      state = next;
      // What was swallowed is lost: those connections are of no use any more.
      if (next === "cut" || (wasStalled && next === "open")) for (const each of sockets) each.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const each of sockets) each.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
