import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "@dormouse/core";
import { stringify } from "yaml";
import type { DemoService } from "./demo-service.ts";
import { RunningProgram } from "./running-program.ts";

const bin = fileURLToPath(new URL("../../packages/cli/src/bin.ts", import.meta.url));

const patienceMs = 20_000;

export interface HostPorts {
  readonly dlx: number;
  readonly admin: number;
}

/** A real `dormouse up` in a process of its own. */
export class DormouseHost implements AsyncDisposable {
  readonly ports: HostPorts;
  readonly configFile: string;
  readonly #program: RunningProgram;

  private constructor(configFile: string, ports: HostPorts) {
    this.configFile = configFile;
    this.ports = ports;
    const node = [process.execPath, "--conditions=@dormouse/source", "--disable-warning=ExperimentalWarning"];
    this.#program = new RunningProgram([...node, bin, "up", "-c", configFile]);
  }

  /** Writes a configuration for these services and starts a host with it; resolves once it is ready. */
  static async start(
    folder: string,
    ports: HostPorts,
    services: readonly DemoService[],
    signal: AbortSignal,
  ): Promise<DormouseHost> {
    const configFile = join(folder, "dormouse.yaml");
    writeFileSync(configFile, stringify(configuration(folder, ports, services)));
    const host = new DormouseHost(configFile, ports);
    try {
      await host.#untilReady(signal);
      return host;
    } catch (error) {
      await host.end();
      throw error;
    }
  }

  /** The last of what it logged. */
  get output(): string {
    return this.#program.output;
  }

  /** Where a service is reached through Dormouse. */
  originOf(service: DemoService): string {
    return `http://${service.name}.localhost:${this.ports.dlx}`;
  }

  /** The state of every resource by name, as the admin API tells it. */
  async states(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.admin}/v1/resources`, { signal });
    const { resources } = (await answer.json()) as { resources: readonly { ref: string; state: string }[] };
    return new Map(resources.map(({ ref, state }) => [ref.split("/").at(-1) ?? ref, state]));
  }

  /** Ends it and gives its exit code. */
  async end(): Promise<number | null> {
    return this.#program.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  async #untilReady(signal: AbortSignal): Promise<void> {
    const deadline = systemClock.monotonic() + patienceMs;
    while (!(await this.#isReady(signal))) {
      if (this.#program.hasEnded) throw new Error(`dormouse up ended by itself:\n${this.output}`);
      if (systemClock.monotonic() > deadline) throw new Error(`dormouse up was not ready in time:\n${this.output}`);
      await systemClock.sleep(20, signal);
    }
  }

  async #isReady(signal: AbortSignal): Promise<boolean> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.admin}/readyz`, { signal }).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.status === 200;
  }
}

function configuration(folder: string, ports: HostPorts, services: readonly DemoService[]): object {
  const options = { stateDir: join(folder, "state"), resources: services.map(resource) };
  return {
    admin: { listen: `127.0.0.1:${ports.admin}` },
    scalers: [{ use: "process", id: "local", options }],
    dlx: { listen: `127.0.0.1:${ports.dlx}` },
    autoscaler: { every: "100ms" },
    // Short, so that the demo sees several sleeps, yet longer than a busy machine may stand still while one is used; the
    // real default of idleAfter is five minutes.
    defaults: { idleAfter: "3s", minAwake: 0 },
    log: { format: "json" },
  };
}

function resource({ name, command, port, readiness }: DemoService): object {
  const policy = {
    hosts: [`${name}.localhost`],
    ...(readiness === undefined ? {} : { readiness: { path: readiness } }),
  };
  return { name, command, port, policy };
}
