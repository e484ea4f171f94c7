import { Gates } from "./gates.ts";
import { run, type HostConfig, type ResourceConfig } from "./host-config.ts";
import { Host } from "./host.ts";
import { Traffic } from "./traffic.ts";

/** A host with fixture services, the gates and ledgers that they share with the test, and clients. */
export class Stage implements AsyncDisposable {
  readonly host: Host;
  readonly gates: Gates;
  readonly #clients: Traffic[] = [];

  private constructor(host: Host, gates: Gates) {
    this.host = host;
    this.gates = gates;
  }

  static async open(config: (gates: Gates) => HostConfig): Promise<Stage> {
    const gates = new Gates();
    try {
      return new Stage(await Host.start(config(gates)), gates);
    } catch (error) {
      gates[Symbol.dispose]();
      throw error;
    }
  }

  /** A client of one service, by the service's name; closed with the stage. */
  readonly client = (name: string): Traffic => {
    const client = new Traffic({ origin: this.host.origin, host: `${name}.test` });
    this.#clients.push(client);
    return client;
  };

  /** Rejects where the host leaves anything behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
    try {
      await this.host[Symbol.asyncDispose]();
    } finally {
      this.gates[Symbol.dispose]();
    }
  }
}

/** Opens a stage for as long as the body takes; a failure shows what the host printed last. */
export async function withStage(
  config: (gates: Gates) => HostConfig,
  body: (stage: Stage) => Promise<void>,
): Promise<void> {
  const stage = await Stage.open(config);
  let failed = true;
  try {
    await body(stage);
    failed = false;
  } finally {
    if (failed) console.error(`--- end of what the host printed\n${stage.host.tail}\n---`);
    if (failed) await stage.host.kill();
    await stage[Symbol.asyncDispose]().catch((error: unknown) => {
      if (!failed) throw error;
    });
  }
}

export interface ServiceOptions {
  /** File of the fixture service, without its ending; `echo` by default. */
  readonly program?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly replicas?: number;
  readonly stopGrace?: string;
}

/** A fixture service under its own name, at the host `NAME.test`. */
export function service(gates: Gates, name: string, options: ServiceOptions = {}): ResourceConfig {
  const { program = "echo", env, policy, ...rest } = options;
  return {
    name,
    command: run(program),
    env: { GATES: gates.folder, NAME: name, ...env },
    policy: { hosts: [`${name}.test`], ...policy },
    ...rest,
  };
}
