import {
  type ActivityReport,
  type Clock,
  type DlxPeer,
  type FenceAnswer,
  formatRef,
  type GuardedScaler,
  type Milliseconds,
  type ResourceActivity,
  type ResourceRef,
  type SleepGate,
} from "@dormouse/core";

/** One request as its client sees it. */
export interface FakeRequest {
  readonly answered: Promise<void>;
  /** The response ends. */
  finish(): void;
  readonly state: "held" | "in-flight" | "answered";
}

interface Waiting {
  state: FakeRequest["state"];
  readonly finish: () => void;
  readonly answered: Promise<void>;
  readonly resolve: () => void;
  wantsEnd: boolean;
}

interface Place {
  licensed: boolean;
  fences: number;
  claiming: boolean;
  readonly held: Waiting[];
  readonly inFlight: Set<Waiting>;
  lastActivityAt: Milliseconds | undefined;
  requests: number;
}

export interface FakeDlxOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly scaler: GuardedScaler;
  readonly sleepGate: SleepGate;
  /** Called when a request is sent to the resource: where a test looks whether there is anybody to answer it. */
  readonly forwarded: (ref: ResourceRef) => void;
  /** Sends the resource's own traffic back to it after a wake. */
  readonly restores: boolean;
}

/**
 * A DLX that keeps the protocol and has no sockets: licence, claim, fence, level-triggered wakes. Its requests end when a
 * test says so.
 */
export class FakeDlx implements DlxPeer {
  readonly id: string;
  readonly #process: string;
  /** What the next answers to activity and fences go through: throw or wait here. */
  onActivity: () => Promise<void> | void = () => {};
  onFence: (attempt: string) => Promise<void> | void = () => {};
  /** Changes what a fence answers. */
  answer: (answer: FenceAnswer) => FenceAnswer = (answer) => answer;
  readonly fences: string[] = [];
  claims = 0;
  /** A crashed process sends nothing any more. */
  dead = false;
  readonly #options: FakeDlxOptions;
  readonly #startedAt: Milliseconds;
  readonly #places = new Map<string, Place>();

  constructor(options: FakeDlxOptions) {
    this.#options = options;
    this.id = options.name;
    this.#process = `process of ${options.name}`;
    this.#startedAt = options.clock.monotonic();
  }

  async readActivity(): Promise<ActivityReport> {
    await this.onActivity();
    const { clock } = this.#options;
    const uptimeMs = clock.monotonic() - this.#startedAt;
    const resources = [...this.#places].map(([ref, place]) => this.#activity(ref, place, uptimeMs));
    return { process: this.#process, startedAt: clock.now() - uptimeMs, uptimeMs, resources };
  }

  async fence(ref: ResourceRef, attempt: string): Promise<FenceAnswer> {
    await this.onFence(attempt);
    this.fences.push(attempt);
    const place = this.#place(formatRef(ref));
    place.licensed = false;
    place.fences += 1;
    const answer = { process: this.#process, attempt, inFlight: place.inFlight.size, held: place.held.length };
    void this.#wake(ref, place);
    return this.answer(answer);
  }

  /** A request comes in; it is answered once it was forwarded and `finish` was called. */
  request(ref: ResourceRef): FakeRequest {
    const place = this.#place(formatRef(ref));
    place.requests += 1;
    place.lastActivityAt = this.#options.clock.monotonic();
    const waiting = this.#newRequest(place);
    if (place.licensed) this.#forward(ref, place, waiting);
    else this.#hold(ref, place, waiting);
    return waiting;
  }

  /** The process ends: its requests end, its licence with it. */
  crash(): void {
    this.dead = true;
    for (const place of this.#places.values()) {
      place.held.length = 0;
      place.inFlight.clear();
      place.licensed = false;
    }
  }

  inFlight(ref: ResourceRef): number {
    return this.#place(formatRef(ref)).inFlight.size;
  }

  #activity(ref: string, place: Place, uptimeMs: Milliseconds): ResourceActivity {
    const busy = place.inFlight.size + place.held.length > 0;
    const since =
      place.lastActivityAt === undefined ? uptimeMs : this.#options.clock.monotonic() - place.lastActivityAt;
    return {
      ref,
      inFlight: place.inFlight.size,
      held: place.held.length,
      idleForMs: busy ? 0 : since,
      requests: place.requests,
    };
  }

  #place(key: string): Place {
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place: Place = {
      licensed: false,
      fences: 0,
      claiming: false,
      held: [],
      inFlight: new Set(),
      lastActivityAt: undefined,
      requests: 0,
    };
    this.#places.set(key, place);
    return place;
  }

  #newRequest(place: Place): Waiting {
    const { promise: answered, resolve } = Promise.withResolvers<void>();
    const waiting: Waiting = {
      state: "held",
      wantsEnd: false,
      answered,
      resolve,
      finish: () => {
        waiting.wantsEnd = true;
        if (waiting.state === "in-flight") this.#end(place, waiting);
      },
    };
    return waiting;
  }

  #hold(ref: ResourceRef, place: Place, waiting: Waiting): void {
    place.held.push(waiting);
    this.#options.sleepGate.cancelSleep(ref);
    void this.#wake(ref, place);
  }

  #forward(ref: ResourceRef, place: Place, waiting: Waiting): void {
    waiting.state = "in-flight";
    place.inFlight.add(waiting);
    this.#options.forwarded(ref);
    if (waiting.wantsEnd) this.#end(place, waiting);
  }

  #end(place: Place, waiting: Waiting): void {
    if (!place.inFlight.delete(waiting)) return;
    place.lastActivityAt = this.#options.clock.monotonic();
    waiting.state = "answered";
    waiting.resolve();
  }

  /** Level-triggered: while something is held and there is no licence. */
  async #wake(ref: ResourceRef, place: Place): Promise<void> {
    if (place.claiming) return;
    place.claiming = true;
    try {
      while (place.held.length > 0 && !place.licensed && !this.dead) await this.#claim(ref, place);
    } finally {
      place.claiming = false;
    }
  }

  async #claim(ref: ResourceRef, place: Place): Promise<void> {
    const { scaler, clock, sleepGate } = this.#options;
    const { fences } = place;
    await sleepGate.whenOpen(ref);
    try {
      const resource = await scaler.getResource(ref);
      if (resource === undefined || this.dead) return;
      const wanted = resource.desired >= 1 ? resource.desired : Math.max(1, resource.wakeReplicas);
      const ifVersion = scaler.capabilities.compareAndSet ? { ifVersion: resource.version } : {};
      const { version } = await scaler.setScale(ref, wanted, ifVersion);
      this.claims += 1;
      while (place.fences === fences && !(await this.#isReady(ref))) await clock.sleep(10);
      if (place.fences !== fences || this.dead) return;
      place.licensed = true;
      for (const waiting of place.held.splice(0)) this.#forward(ref, place, waiting);
      if (this.#options.restores) await scaler.routeTraffic?.(ref, "resource", { version }).catch(() => {});
    } catch {
      await clock.sleep(5);
    }
  }

  async #isReady(ref: ResourceRef): Promise<boolean> {
    const targets = await this.#options.scaler.resolveTargets(ref, undefined);
    if (targets.some((target) => target.ready === true)) return true;
    const resource = await this.#options.scaler.getResource(ref);
    if ((resource?.desired ?? 0) === 0) throw new Error("it is asleep again");
    return false;
  }
}
