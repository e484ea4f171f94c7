import { type AddressInfo, createServer as createListener, type Server as Listener } from "node:net";

/** How an instance goes: long enough for a wake to come meanwhile. */
const stopTakesMs = 40;
const startTakesMs = 10;

interface Instance {
  readonly id: string;
  readonly listener: Listener;
  port: number;
  isStopping: boolean;
  isReady: boolean;
}

/** One application: what is wanted of it, and instances that follow, each a listener of its own. */
export class TestApp {
  replicas = 0;
  lastReplicas = 1;
  revision = 1;
  failure: string | undefined;
  isBroken = false;
  isHeld = false;
  isRemoved = false;
  readonly instances = new Map<string, Instance>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #starts = 0;

  scale(replicas: number): void {
    this.replicas = replicas;
    if (replicas > 0) this.lastReplicas = replicas;
    this.revision += 1;
    this.failure = undefined;
    this.#follow();
  }

  /** What runs and is not about to end. */
  get staying(): readonly Instance[] {
    return [...this.instances.values()].filter(({ isStopping }) => !isStopping);
  }

  release(): void {
    this.isHeld = false;
    this.isBroken = false;
    for (const instance of this.staying) this.#soon(startTakesMs, () => (instance.isReady = true));
  }

  /** As a crash would; the platform starts another one. */
  end(port: number): void {
    const instance = this.staying.find((each) => each.port === port);
    if (instance === undefined) return;
    this.instances.delete(instance.id);
    instance.listener.close();
    this.#soon(startTakesMs, () => this.#follow());
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { listener } of this.instances.values()) listener.close();
  }

  #follow(): void {
    // The newest ones go, as if somebody had wanted to make it hard.
    for (const instance of this.staying.slice(0, Math.max(0, this.staying.length - this.replicas)))
      this.#stop(instance);
    for (let missing = this.replicas - this.staying.length; missing > 0 && !this.isBroken; missing -= 1) this.#start();
    if (this.isBroken && this.staying.length < this.replicas) this.failure = "the image cannot be pulled";
  }

  #stop(instance: Instance): void {
    instance.isStopping = true;
    this.#soon(stopTakesMs, () => {
      this.instances.delete(instance.id);
      instance.listener.close();
    });
  }

  #start(): void {
    const listener = createListener((socket) => socket.destroy());
    listener.listen(0, "127.0.0.1");
    this.#starts += 1;
    const id = `i-${String(this.#starts)}`;
    const instance: Instance = { id, listener, port: 0, isStopping: false, isReady: false };
    this.instances.set(id, instance);
    listener.once("listening", () => {
      instance.port = (listener.address() as AddressInfo).port;
      if (!this.isHeld) this.#soon(startTakesMs, () => (instance.isReady = true));
    });
  }

  #soon(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}
