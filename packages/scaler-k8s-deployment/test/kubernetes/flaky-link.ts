import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";

/** A TCP link to the API server that a test can cut or let hang. */
export interface FlakyLink extends AsyncDisposable {
  /** Path of a kubeconfig that goes through the link. */
  readonly kubeconfig: string;
  /** `open`: as usual; `stalled`: nothing passes any more, connections stay; `cut`: connections are reset, new ones too. */
  set(state: "open" | "stalled" | "cut"): void;
}

/** Opens a link beside the server of a kubeconfig. */
export async function openFlakyLink(kubeconfig: string, folder: string): Promise<FlakyLink> {
  const text = await readFile(kubeconfig, "utf8");
  const url = new URL(/server: *"?([^"\s,}]+)/.exec(text)?.[1] ?? "");
  const sockets = new Set<Socket>();
  let state: "open" | "stalled" | "cut" = "open";
  const server = createServer((client) => {
    if (state === "cut") return void client.resetAndDestroy();
    const upstream = connect(Number(url.port), url.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => {
        if (state === "open") to.write(chunk);
      });
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const own = join(folder, `flaky-${String(port)}.kubeconfig`);
  await writeFile(own, text.replace(url.origin, `https://127.0.0.1:${String(port)}`), { mode: 0o600 });
  return {
    kubeconfig: own,
    set: (next) => {
      const wasStalled = state === "stalled";
      state = next;
      // What was swallowed is lost: those connections are of no use any more.
      if (next === "cut" || (wasStalled && next === "open")) for (const socket of sockets) socket.resetAndDestroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
