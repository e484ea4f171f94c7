import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, isIP, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

/** A way to an API server that a test can bar: its connections break, or stay and say nothing. */
export class TcpGate implements AsyncDisposable {
  /** Kubeconfig that leads through the gate. */
  readonly kubeconfig: string;
  readonly #folder: string;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #state: "open" | "silent" | "shut" = "open";

  private constructor(server: Server, folder: string) {
    this.#server = server;
    this.#folder = folder;
    this.kubeconfig = join(folder, "kubeconfig");
  }

  /** @param kubeconfig of the server itself */
  static async open(kubeconfig: string): Promise<TcpGate> {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const target = new URL(config.getCurrentCluster()?.server ?? "");
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const gate = new TcpGate(server, await mkdtemp(join(tmpdir(), "dormouse-gate-")));
    server.on("connection", (near) => gate.#pass(near, target));
    await writeFile(gate.kubeconfig, gate.#throughHere(config, target.hostname));
    return gate;
  }

  /** Connections break, and new ones are refused with a reset. */
  shut(): void {
    this.#state = "shut";
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  }

  /** Nothing passes any more, and nobody is told: as where a cable is cut. */
  silence(): void {
    this.#state = "silent";
    for (const { near, far } of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  /** As before; what was silent stays broken. */
  reopen(): void {
    this.shut();
    this.#state = "open";
  }

  get connections(): number {
    return this.#pairs.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.shut();
    this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #pass(near: Socket, target: URL): void {
    if (this.#state === "shut") return void near.resetAndDestroy();
    const far = connect(Number(target.port === "" ? 443 : target.port), target.hostname);
    const pair = { near, far };
    this.#pairs.add(pair);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => {});
      one.on("close", () => {
        this.#pairs.delete(pair);
        other.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
    if (this.#state === "silent") this.silence();
  }

  #throughHere(config: KubeConfig, serverName: string): string {
    const { port } = this.#server.address() as { readonly port: number };
    const exported = JSON.parse(config.exportConfig()) as {
      clusters: { cluster: Record<string, unknown> }[];
    };
    for (const { cluster } of exported.clusters) {
      cluster["server"] = `https://127.0.0.1:${String(port)}`;
      if (isIP(serverName) === 0) cluster["tls-server-name"] = serverName;
    }
    return JSON.stringify(exported);
  }
}
