import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@dormouse/core/testing";

/** A real Prometheus that scrapes what a test exposes, four times a second. */
export class LivePrometheus {
  readonly url: string;
  /** What is exposed: the text of `/metrics`. Undefined: the target is down. */
  exposed: string | undefined = "";
  readonly #process: ChildProcess;
  readonly #target: Server;
  readonly #folder: string;

  private constructor(url: string, process: ChildProcess, target: Server, folder: string) {
    this.url = url;
    this.#process = process;
    this.#target = target;
    this.#folder = folder;
    target.on("request", (_request, response) => {
      if (this.exposed === undefined) response.destroy();
      else response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(this.exposed);
    });
  }

  static async start(command: string): Promise<LivePrometheus> {
    const target = createServer();
    await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
    const folder = await mkdtemp(join(tmpdir(), "dormouse-prometheus-"));
    const scraped = `127.0.0.1:${String((target.address() as AddressInfo).port)}`;
    const config = join(folder, "prometheus.yml");
    await writeFile(
      config,
      `global: { scrape_interval: 250ms }\nscrape_configs: [ { job_name: test, static_configs: [ { targets: ["${scraped}"] } ] } ]\n`,
    );
    const listen = `127.0.0.1:${String(await freePort())}`;
    const process = spawn(
      command,
      [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, "data")}`, `--web.listen-address=${listen}`],
      { stdio: "ignore" },
    );
    const live = new LivePrometheus(`http://${listen}`, process, target, folder);
    await live.#untilReady();
    return live;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    if (this.#process.exitCode === null && this.#process.kill("SIGTERM")) await ended;
    this.#target.closeAllConnections();
    await new Promise((resolve) => this.#target.close(resolve));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #untilReady(): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const response = await fetch(`${this.url}/-/ready`).catch(() => undefined);
      if (response?.ok === true) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await this.stop();
    throw new Error("Prometheus did not become ready within 20 s");
  }
}
