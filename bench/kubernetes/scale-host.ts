import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "@dormouse/core";
import { fetch } from "undici";
import { stringify } from "yaml";
import type { BenchContext } from "../host/bench-context.ts";
import type { ChildProgram } from "../host/child-program.ts";
import { cpuTimeMs } from "../host/cpu-time.ts";
import { freePort } from "../host/free-port.ts";
import { type Memory, MemoryReader } from "../host/read-memory.ts";
import { until } from "../host/until.ts";
import { type HostName, hostNamespace, type ScaleWorld } from "./scale-world.ts";

const token = "only-for-the-bench-0123456789";

/** Below the ports that the kernel gives to outgoing connections, and above those of `freePort`. */
const firstPort = 14_000;

/** MiB of objects that Node allows itself in a container of 512 MiB, as the chart has it; on a big machine it would take more. */
const heapLimit = 256;

/** What differs between runs. */
export interface HostChoice {
  /** Folder for CPU profiles, which cost time; left out: none. */
  readonly profiles?: string;
}

/** Both hosts of an installation: `dormouse dlx` and `dormouse autoscaler`. */
export interface ScaleHosts extends AsyncDisposable {
  readonly dlx: ScaleHost;
  readonly autoscaler: ScaleHost;
}

/** Starts both without waiting for them. */
export async function startHosts(context: BenchContext, world: ScaleWorld, choice: HostChoice): Promise<ScaleHosts> {
  const ports = { dlx: await freePort(), requests: await freePort(), autoscaler: await freePort() };
  const start = (name: HostName): ScaleHost => new ScaleHost(name, context, world, { ...choice, ports });
  const [dlx, autoscaler] = [start("dlx"), start("autoscaler")];
  return {
    dlx,
    autoscaler,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([dlx.end(), autoscaler.end()]);
    },
  };
}

interface StartOptions extends HostChoice {
  readonly ports: Readonly<Record<HostName | "requests", number>>;
}

/** One real host process. */
export class ScaleHost {
  readonly name: HostName;
  /** Monotonic ms. */
  readonly spawnedAt = systemClock.monotonic();
  readonly #program: ChildProgram;
  readonly #memory: MemoryReader;
  readonly #admin: string;

  constructor(name: HostName, context: BenchContext, world: ScaleWorld, { ports, profiles }: StartOptions) {
    const folder = context.folder();
    const file = join(folder, "dormouse.yaml");
    writeFileSync(file, stringify(configurationOf(name, world, ports)));
    this.name = name;
    this.#admin = `http://${world.address}:${String(ports[name])}`;
    this.#memory = new MemoryReader(folder);
    const [node = "", ...rest] = context.dormouse;
    const profiling = profiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}/${name}`];
    const command = [node, `--max-old-space-size=${String(heapLimit)}`, ...profiling, ...rest, name, "-c", file];
    this.#program = context.start(command, { env: { ...this.#memory.env, DORMOUSE_BENCH_TOKEN: token } });
  }

  /** Resolves with the ms since it was spawned, once it says that it is ready. */
  async ready(): Promise<number> {
    const isReady = async (): Promise<boolean> => {
      if (this.#program.hasEnded) throw new Error(`dormouse ${this.name} ended by itself:\n${this.#program.output}`);
      const answer = await fetch(`${this.#admin}/readyz`, { headers }).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 200;
    };
    await until(`dormouse ${this.name} is ready`, isReady, 20, 120_000);
    return systemClock.monotonic() - this.spawnedAt;
  }

  /** CPU time so far, in ms. */
  get cpuMs(): number {
    return cpuTimeMs([this.#program.pid]);
  }

  /** Bytes in memory now, as the kernel counts them. */
  get residentBytes(): number {
    const text = readFileSync(`/proc/${String(this.#program.pid)}/status`, "utf8");
    return 1_024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1]);
  }

  /** Open file descriptors, listeners and connections among them. */
  get descriptors(): number {
    return readdirSync(`/proc/${String(this.#program.pid)}/fd`).length;
  }

  /** Memory after a garbage collection. */
  async memory(): Promise<Memory> {
    return this.#memory.read(this.#program);
  }

  /** A metric's value, its series summed. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.#admin}/metrics`, { headers })).text();
    const lines = text.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  }

  /** How long the list of all resources takes, which the command `dormouse ls` shows, in ms. */
  async listMs(): Promise<number> {
    const startedAt = systemClock.monotonic();
    await (await fetch(`${this.#admin}/v1/resources`, { headers })).text();
    return systemClock.monotonic() - startedAt;
  }

  /** The end of its log. */
  get output(): string {
    return this.#program.output;
  }

  async end(): Promise<void> {
    await this.#program.end();
  }
}

const headers = { authorization: `Bearer ${token}` };

/** As the chart writes it: one scaler, DLXs found by their Pods, one leader by a Lease. */
function configurationOf(name: HostName, world: ScaleWorld, ports: StartOptions["ports"]): object {
  const access = { kubeconfig: world.kubeconfig(name) };
  const scaler = {
    ...access,
    dlx: { service: "dormouse-dlx", namespace: hostNamespace, ports: { from: firstPort, to: firstPort + 1_999 } },
    state: { namespace: hostNamespace },
    keep: name === "autoscaler",
  };
  const peers = { ...access, selector: "app=dormouse-dlx", namespace: hostNamespace, adminPort: ports.dlx };
  return {
    admin: { listen: `0.0.0.0:${String(ports[name])}`, token: { env: "DORMOUSE_BENCH_TOKEN" } },
    pluginDir: fileURLToPath(new URL("..", import.meta.url)),
    scalers: [{ use: "k8s-deployment", id: "k8s", options: scaler }],
    cluster: {
      peers: { use: "kubernetes", options: { ...peers, ...(name === "dlx" && { pod: "dormouse-dlx-0" }) } },
      leader: { use: "kubernetes", options: { ...access, namespace: hostNamespace } },
    },
    dlx: { listen: `0.0.0.0:${String(ports.requests)}` },
    log: { format: "json" },
  };
}
