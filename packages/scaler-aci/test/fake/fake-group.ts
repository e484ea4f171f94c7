import type { Clock, Milliseconds, Timer } from "@dormouse/core";
import type { GroupServer, StartGroupServer } from "./group-servers.ts";

/** How long the fake takes for what Azure takes its time for. */
export interface FakeDelays {
  /** From the acceptance of a start to Running. */
  readonly start: Milliseconds;
  /** From the end of a container to its next run. */
  readonly restart: Milliseconds;
}

/** What is written about a group. */
export interface FakeSpec {
  readonly tags: Readonly<Record<string, string>>;
  readonly port: number;
  readonly image: string;
  readonly readinessPath?: string;
  readonly restartPolicy: "Always" | "OnFailure" | "Never";
}

/** What a start comes to. */
export type StartPlan =
  | { readonly kind: "run" }
  | { readonly kind: "hold" }
  | { readonly kind: "fail"; readonly code: string; readonly message: string };

/** A long-running operation. */
export interface FakeOperation {
  readonly id: string;
  readonly startedAt: number;
  status: "Pending" | "Creating" | "Succeeded" | "Failed";
  error?: { readonly code: string; readonly message: string };
}

interface Container {
  state: "Running" | "Waiting" | "Terminated";
  startTime: number;
  finishTime?: number;
  exitCode?: number;
  detailStatus: string;
  restartCount: number;
}

type State = "Stopped" | "Pending" | "Running" | "Succeeded" | "Failed";

/** One container group of the fake: its states, and the server that runs while it does. */
export class FakeGroup {
  readonly name: string;
  readonly path: string;
  readonly #clock: Clock;
  readonly #delays: FakeDelays;
  readonly #startServer: StartGroupServer;
  readonly #timers = new Set<Timer>();
  spec: FakeSpec;
  plan: StartPlan = { kind: "run" };
  state: State = "Stopped";
  provisioning = "Succeeded";
  operation: FakeOperation | undefined;
  /** Another answer than the true one, where a test wants it. */
  disguise: ((answer: Record<string, unknown>) => unknown) | undefined;
  #container: Container | undefined;
  #server: GroupServer | undefined;
  #runs = 0;
  /** Work that is under way: awaited when the fake closes. */
  #work: Promise<void> = Promise.resolve();

  constructor(
    path: string,
    spec: FakeSpec,
    { clock, delays, startServer }: { clock: Clock; delays: FakeDelays; startServer: StartGroupServer },
  ) {
    this.path = path;
    this.name = path.slice(path.lastIndexOf("/") + 1);
    this.spec = spec;
    this.#clock = clock;
    this.#delays = delays;
    this.#startServer = startServer;
  }

  get isTransitioning(): boolean {
    return this.provisioning === "Pending" || this.provisioning === "Creating";
  }

  /** Accepts a start; undefined: it runs or starts already. */
  start(id: string): FakeOperation | undefined {
    if (this.state === "Running" || this.isTransitioning) return undefined;
    const operation: FakeOperation = { id, startedAt: this.#clock.now(), status: "Pending" };
    this.operation = operation;
    this.provisioning = "Pending";
    this.state = "Pending";
    this.#container = undefined;
    this.#after(this.#delays.start / 3, async () => {
      if (operation.status !== "Pending") return;
      this.provisioning = "Creating";
      operation.status = "Creating";
    });
    this.#after(this.#delays.start, async () => this.#finishStart(operation));
    return operation;
  }

  /** Lets a start go on that was held. */
  async release(): Promise<void> {
    this.plan = { kind: "run" };
    const { operation } = this;
    if (operation === undefined || !this.isTransitioning) return;
    this.#work = this.#work.then(async () => this.#finishStart(operation));
    await this.#work;
  }

  async stop(): Promise<void> {
    this.#cancelTimers();
    this.provisioning = "Succeeded";
    if (this.state !== "Succeeded" && this.state !== "Failed") this.state = "Stopped";
    this.#end(0, "Container stopped per client request");
    await this.#closeServer();
  }

  /** The container ends as by a crash; the policy decides what follows. */
  async crash(exitCode: number): Promise<void> {
    this.#end(exitCode, "Error");
    await this.#closeServer();
    if (this.spec.restartPolicy !== "Always") {
      this.state = exitCode === 0 ? "Succeeded" : "Failed";
      return;
    }
    if (this.#container !== undefined) this.#container.state = "Waiting";
    this.#after(this.#delays.restart, async () => this.#run((this.#container?.restartCount ?? 0) + 1));
  }

  /** Its container starts and ends again and again. */
  async loop(): Promise<void> {
    await this.crash(1);
    this.#cancelTimers();
    if (this.#container !== undefined)
      this.#container.detailStatus = "CrashLoopBackOff: Back-off 40s restarting failed container=app";
  }

  async close(): Promise<void> {
    this.#cancelTimers();
    await this.#work;
    await this.#closeServer();
  }

  /** As a list has it: without the state. */
  toEntry(): Record<string, unknown> {
    const { tags, port, image, readinessPath, restartPolicy } = this.spec;
    const ip = this.#server?.address ?? (this.isTransitioning ? "0.0.0.0" : undefined);
    return {
      id: this.path,
      name: this.name,
      type: "Microsoft.ContainerInstance/containerGroups",
      location: "westeurope",
      tags,
      somethingNew: { of: ["a", "later", "version"] },
      properties: {
        sku: "Standard",
        osType: "Linux",
        provisioningState: this.provisioning,
        provisioningTimeoutInSeconds: 1_800,
        restartPolicy,
        ipAddress: { type: "Public", ports: [{ protocol: "TCP", port }], ...(ip !== undefined && { ip }) },
        containers: [
          {
            name: "app",
            properties: {
              image,
              command: [],
              ports: [{ port }],
              environmentVariables: [],
              resources: { requests: { cpu: 1, memoryInGB: 1.5 } },
              ...(readinessPath !== undefined && {
                readinessProbe: { httpGet: { path: readinessPath, port, scheme: "http" }, periodSeconds: 1 },
              }),
            },
          },
        ],
        isCustomProvisioningTimeout: false,
      },
    };
  }

  /** As a read has it: with the state of group and containers. */
  toAnswer(): unknown {
    const entry = this.toEntry();
    const properties = entry["properties"] as { containers: { properties: object }[]; instanceView?: object };
    properties.instanceView = { state: this.state, events: [] };
    for (const each of properties.containers)
      each.properties = { ...each.properties, ...(this.#container !== undefined && { instanceView: this.#view() }) };
    return this.disguise === undefined ? entry : this.disguise(entry);
  }

  async #finishStart(operation: FakeOperation): Promise<void> {
    if (this.operation !== operation || operation.status === "Succeeded" || operation.status === "Failed") return;
    if (this.plan.kind === "hold") return;
    if (this.plan.kind === "run") {
      await this.#run(0);
      this.provisioning = "Succeeded";
      operation.status = "Succeeded";
      return;
    }
    const { code, message } = this.plan;
    this.provisioning = "Failed";
    this.state = "Stopped";
    operation.status = "Failed";
    operation.error = { code, message };
  }

  async #run(restartCount: number): Promise<void> {
    this.#runs += 1;
    this.#server ??= await this.#startServer(this.name, this.spec.port, this.#runs);
    this.state = "Running";
    this.#container = {
      state: "Running",
      startTime: this.#clock.now(),
      detailStatus: "",
      restartCount,
    };
  }

  #end(exitCode: number, detailStatus: string): void {
    if (this.#container === undefined) return;
    this.#container = {
      ...this.#container,
      state: "Terminated",
      finishTime: this.#clock.now(),
      exitCode,
      detailStatus,
    };
  }

  #view(): object {
    const { state, startTime, finishTime, exitCode, detailStatus, restartCount } = this.#container ?? {};
    return {
      restartCount,
      currentState: {
        state,
        ...(startTime !== undefined && { startTime: new Date(startTime).toISOString() }),
        ...(finishTime !== undefined && { finishTime: new Date(finishTime).toISOString() }),
        ...(exitCode !== undefined && { exitCode }),
        detailStatus,
      },
      events: [],
    };
  }

  #after(ms: Milliseconds, work: () => Promise<void>): void {
    const timer = this.#clock.setTimer(ms, () => {
      this.#timers.delete(timer);
      this.#work = this.#work.then(work);
    });
    this.#timers.add(timer);
  }

  #cancelTimers(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  async #closeServer(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.[Symbol.asyncDispose]();
  }
}
