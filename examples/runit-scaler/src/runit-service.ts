import { type Clock, type LocalRef, type Policy, type Resource, ScalerError, type Target } from "@dormouse/core";
import { CrashCount } from "./crash-count.ts";
import { toFailure } from "./runit-error.ts";
import type { RunitOptions } from "./runit-options.ts";
import type { ServiceFolder } from "./service-folder.ts";
import type { SuperviseStatus } from "./supervise-status.ts";

/** runsv takes a command in milliseconds. One that it has not taken by then has an unknown outcome. */
const acceptWithinMs = 5_000;
const lookEveryMs = 2;

/** One crash may be chance, and runsv starts again a second later. */
const crashesOfALoop = 2;

/** One service: what runsv says of it, and what runsv does not keep: a version, and how often it crashed. */
export class RunitService {
  readonly ref: LocalRef;
  readonly #port: number;
  readonly #policy: Policy;
  readonly #folder: ServiceFolder;
  readonly #clock: Clock;
  readonly #crashes: CrashCount;
  readonly #createdAt: number;
  #updatedAt: number;
  #moves = 0;
  /** What was seen or written last: whatever else is found there somebody else has written. */
  #known: { wanted: "up" | "down"; specification: string } | undefined;
  /** Writes, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #isWriting = false;

  constructor(
    spec: RunitOptions["services"][number],
    { policy, folder, clock }: { readonly policy: Policy; readonly folder: ServiceFolder; readonly clock: Clock },
  ) {
    this.ref = { namespace: "default", name: spec.name };
    this.#port = spec.port;
    this.#policy = policy;
    this.#folder = folder;
    this.#clock = clock;
    this.#crashes = new CrashCount(clock);
    this.#createdAt = clock.now();
    this.#updatedAt = this.#createdAt;
  }

  async toResource(): Promise<Resource> {
    const { wanted, pid } = await this.#look();
    return {
      ref: this.ref,
      desired: wanted === "up" ? 1 : 0,
      ready: pid === undefined ? 0 : 1,
      wakeReplicas: 1,
      version: this.#version,
      ...(this.#crashes.count >= crashesOfALoop && { failure: toFailure(this.#crashes.count) }),
      ports: [{ name: "http", number: this.#port, protocol: "http" }],
      policy: this.#policy,
      createdAt: this.#createdAt,
      updatedAt: this.#updatedAt,
    };
  }

  /** A run that was sent a TERM is about to end, even if the service is wanted again. */
  async targets(): Promise<readonly Target[]> {
    const { wanted, pid, gotTerm, since } = await this.#look();
    if (wanted === "down" || pid === undefined || gotTerm) return [];
    return [{ id: `${pid}.${since}`, host: "127.0.0.1", port: this.#port }];
  }

  /** Writes take turns: each waits until runsv has taken its command, and resolves with the version that it made. */
  async setScale(replicas: number, signal: AbortSignal): Promise<string> {
    const write = this.#turn.then(async () => {
      signal.throwIfAborted();
      return this.#write(replicas > 0 ? "up" : "down");
    });
    this.#turn = write.catch(() => {});
    return write;
  }

  /** Resolves once no write is under way. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  async #write(wanted: "up" | "down"): Promise<string> {
    const before = await this.#look();
    this.#isWriting = true;
    try {
      await this.#folder.command(wanted === "up" ? "u" : "d");
      this.#crashes.reset(before);
      const version = this.#move();
      await this.#untilTaken(wanted);
      return version;
    } finally {
      this.#isWriting = false;
    }
  }

  /** A pipe keeps what nobody has read: only the status says that runsv has taken it, and with it who will end. */
  async #untilTaken(wanted: "up" | "down"): Promise<void> {
    const endsAt = this.#clock.monotonic() + acceptWithinMs;
    while ((await this.#folder.status()).wanted !== wanted) {
      if (this.#clock.monotonic() > endsAt) {
        throw new ScalerError("SCALER_TIMEOUT", `${this.ref.name}: runsv has not taken the command`);
      }
      await this.#clock.sleep(lookEveryMs);
    }
    if (this.#known !== undefined) this.#known = { ...this.#known, wanted };
  }

  /** What is there now, compared with what was: a change by somebody else moves the version, a crash does not. */
  async #look(): Promise<SuperviseStatus> {
    const [status, specification] = await Promise.all([this.#folder.status(), this.#folder.specification()]);
    const { wanted } = status;
    if (!this.#isWriting) {
      const { wanted: before, specification: form } = this.#known ?? { wanted, specification };
      if (before !== wanted || form !== specification) this.#move();
      this.#known = { wanted, specification };
    }
    this.#crashes.look(status);
    return status;
  }

  /** Counts what was written, here and elsewhere, and nothing else. */
  get #version(): string {
    return `${this.#createdAt}.${this.#moves}`;
  }

  #move(): string {
    this.#moves += 1;
    this.#updatedAt = this.#clock.now();
    return this.#version;
  }
}
