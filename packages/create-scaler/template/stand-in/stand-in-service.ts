import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface Instance {
  readonly id: string;
  readonly server: Server;
  state: "starting" | "running" | "stopping";
}

/** One service of the stand-in platform, and its instances: HTTP servers on ports of their own. */
export class StandInService {
  /** A start fails while this is set. */
  isBroken = false;
  readonly #name: string;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #createdAt = Date.now();
  #changedAt = this.#createdAt;
  #count = 0;
  #lastCount = 1;
  #writes = 0;
  #isHeld = false;
  #failure: { readonly reason: string; readonly message: string } | undefined;
  #instances: Instance[] = [];

  constructor(name: string, labels: Readonly<Record<string, string>>) {
    this.#name = name;
    this.#labels = labels;
  }

  /** Counts writes, and never comes back: another service of the same name has another one. */
  get revision(): string {
    return `${this.#createdAt}.${this.#writes}`;
  }

  setCount(count: number): void {
    this.#count = count;
    if (count > 0) this.#lastCount = count;
    this.#failure = undefined;
    this.change();
    this.#follow();
  }

  /** As if somebody had changed the specification. */
  change(): void {
    this.#writes += 1;
    this.#changedAt = Date.now();
  }

  /** Instances are made, and none begins to listen until it is called with false. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (!isHeld) for (const each of this.#instances.filter(({ state }) => state === "starting")) this.#listen(each);
  }

  /** Ends an instance as a crash would; another one takes its place. */
  crash(id: string): void {
    const instance = this.#instances.find((each) => each.id === id);
    if (instance === undefined) return;
    this.#end(instance);
    this.#follow();
  }

  async close(): Promise<void> {
    for (const instance of this.#instances) this.#end(instance);
  }

  /** What the API answers. */
  toJSON(): object {
    return {
      name: this.#name,
      labels: this.#labels,
      port: 80,
      count: this.#count,
      lastCount: this.#lastCount,
      revision: this.revision,
      createdAt: this.#createdAt,
      changedAt: this.#changedAt,
      failure: this.#failure,
      instances: this.#instances.map(({ id, server, state }) => ({
        id,
        host: "127.0.0.1",
        port: portOf(server),
        state,
      })),
    };
  }

  /** Starts what is missing, and stops what is too much, the newest first. */
  #follow(): void {
    const wanted = this.#instances.filter(({ state }) => state !== "stopping");
    for (const instance of wanted.slice(this.#count)) this.#stop(instance);
    for (let missing = this.#count - wanted.length; missing > 0; missing -= 1) this.#start();
  }

  #start(): void {
    if (this.isBroken) {
      this.#failure = { reason: "crashed", message: "the program ended at once with exit code 1" };
      return;
    }
    const server = createServer((_request, response) => void response.end(`Hello from ${this.#name}.\n`));
    const instance: Instance = { id: randomUUID(), server, state: "starting" };
    this.#instances.push(instance);
    if (!this.#isHeld) this.#listen(instance);
  }

  #listen(instance: Instance): void {
    instance.server.listen(0, "127.0.0.1", () => {
      if (instance.state === "starting") instance.state = "running";
    });
  }

  /** It answers what it has, for a moment longer. */
  #stop(instance: Instance): void {
    instance.state = "stopping";
    setTimeout(() => this.#end(instance), 20);
  }

  #end(instance: Instance): void {
    this.#instances = this.#instances.filter((each) => each !== instance);
    instance.server.close();
    instance.server.closeAllConnections();
  }
}

/** 0 until it listens. */
function portOf(server: Server): number {
  return (server.address() as AddressInfo | null)?.port ?? 0;
}
