import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@dormouse/core";
import { stringify } from "yaml";
import type { BenchContext } from "./bench-context.ts";
import type { ChildProgram } from "./child-program.ts";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

export interface HostOptions {
  /** Resources of the process scaler. */
  readonly resources?: readonly object[];
  /** Another scaler instead, as configuration has it, and the namespace of its resources. */
  readonly scaler?: { readonly use: string; readonly options: object; readonly namespace: string };
  readonly defaults?: object;
  readonly env?: Readonly<Record<string, string>>;
}

/** A real `dormouse up` with one scaler. */
export class DormouseHost implements AsyncDisposable {
  readonly origin: string;
  readonly dlxPort: number;
  /** When it was spawned, on the monotonic clock, in ms. */
  readonly spawnedAt: number;
  readonly #admin: string;
  readonly #resources: string;
  readonly #program: ChildProgram;

  private constructor(
    program: ChildProgram,
    spawnedAt: number,
    ports: { readonly dlx: number; readonly admin: number },
    namespace: string,
  ) {
    this.#program = program;
    this.spawnedAt = spawnedAt;
    this.dlxPort = ports.dlx;
    this.origin = `http://127.0.0.1:${ports.dlx}`;
    this.#admin = `http://127.0.0.1:${ports.admin}`;
    this.#resources = `${this.#admin}/v1/resources/local/${namespace}`;
  }

  /** Spawns a host without waiting for it. */
  static async spawn(context: BenchContext, options: HostOptions): Promise<DormouseHost> {
    const folder = context.folder();
    const ports = { dlx: await freePort(), admin: await freePort() };
    const configFile = join(folder, "dormouse.yaml");
    writeFileSync(configFile, stringify(configuration(folder, ports, options)));
    const { env = {}, scaler } = options;
    const spawnedAt = systemClock.monotonic();
    const program = context.start([...context.dormouse, "up", "-c", configFile], { env });
    return new DormouseHost(program, spawnedAt, ports, scaler?.namespace ?? "default");
  }

  /** Spawns a host and waits until it is ready. */
  static async start(context: BenchContext, options: HostOptions): Promise<DormouseHost> {
    const host = await DormouseHost.spawn(context, options);
    await until("dormouse up is ready", async () => {
      if (host.#program.hasEnded) throw new Error(`dormouse up ended by itself:\n${host.#program.output}`);
      const answer = await fetch(`${host.#admin}/readyz`).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 200;
    });
    return host;
  }

  get program(): ChildProgram {
    return this.#program;
  }

  /** What the admin API says of a resource. */
  async resource(name: string): Promise<{ readonly state: string; readonly held: number }> {
    const answer = await fetch(`${this.#resources}/${name}`);
    return (await answer.json()) as { state: string; held: number };
  }

  /** Puts a resource to sleep and waits until it is. */
  async sleep(name: string): Promise<void> {
    const answer = await fetch(`${this.#resources}/${name}/sleep`, { method: "POST" });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${name} was not put to sleep: ${answer.status} ${text}`);
    await until(`${name} is asleep`, async () => (await this.resource(name)).state === "asleep");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.end();
  }
}

function configuration(folder: string, ports: { dlx: number; admin: number }, options: HostOptions) {
  const { resources = [], defaults, scaler } = options;
  const process = { use: "process", options: { stateDir: join(folder, "state"), resources } };
  const { use, options: own } = scaler ?? process;
  return {
    admin: { listen: `127.0.0.1:${ports.admin}` },
    scalers: [{ use, id: "local", options: own }],
    dlx: { listen: `127.0.0.1:${ports.dlx}` },
    autoscaler: { every: "1s" },
    defaults: { idleAfter: "1h", ...defaults },
    log: { format: "json" },
  };
}
