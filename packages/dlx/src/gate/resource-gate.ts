import {
  type CatalogEntry,
  type ErrorCode,
  type Milliseconds,
  type Policy,
  type ScaleEvent,
  ScalerError,
} from "@dormouse/core";
import type { Book } from "./book.ts";
import type { Claim } from "./claim.ts";
import type { Reached } from "./find-target.ts";
import { GatePassage, type PassageOwner } from "./gate-passage.ts";
import { GateTargets } from "./gate-targets.ts";
import type { GatePorts } from "./gate-ports.ts";
import type { ColdStart, EnterOptions, Gate, HoldOptions, Passage, ReachedTarget } from "./passage.ts";
import { mainPortOf } from "./port-targets.ts";
import { ReleasePace } from "./release-pace.ts";
import { isDirect, restoreTraffic } from "./restore-traffic.ts";
import type { TargetSlot } from "./target-pool.ts";
import { type Waiting, WaitingRoom } from "./waiting-room.ts";
import { type WakeOutcome, Waker, type WakeReason } from "./waker.ts";

/** Named to callers where no wake of the resource has been measured. */
const unmeasuredWakeMs = 5_000;

/** One resource at one DLX: who may pass, who waits, and the wake that ends the waiting. */
export class ResourceGate implements Gate, PassageOwner {
  readonly key: string;
  readonly book: Book;
  readonly #ports: GatePorts;
  readonly #room: WaitingRoom;
  readonly #pace: ReleasePace;
  readonly #waker: Waker;
  readonly #targets: GateTargets;
  #entry: CatalogEntry;
  /** A request by this name, or by none, is one for the main port. */
  #mainPort: string | undefined;
  #woken: { readonly at: Milliseconds; readonly phases: Readonly<Record<string, Milliseconds>> } | undefined;
  #restored = false;
  #closed = false;

  /** @param wakeDependencies wakes what the resource depends on, each by a claim of its own */
  constructor(entry: CatalogEntry, ports: GatePorts, wakeDependencies: (signal: AbortSignal) => Promise<void>) {
    this.key = entry.key;
    this.#entry = entry;
    this.#mainPort = mainPortOf(entry);
    this.#ports = ports;
    this.book = ports.totals.openBook(ports.clock);
    this.#room = new WaitingRoom(ports.clock, {
      late: () => this.#refusal("DLX_WAKE_TIMEOUT", `${this.key} did not wake in time`, this.#usualWakeMs()),
      gone: () => new ScalerError("DLX_CLIENT_GONE", "the client went away"),
      left: () => this.#left(),
    });
    this.#pace = new ReleasePace(ports.clock, () => this.#release());
    this.#targets = new GateTargets({
      ports,
      entry: () => this.#entry,
      opened: () => this.#release(),
      emptied: () => this.#emptied(),
      hopeless: (port) => this.#room.refusePort(port, () => this.#noPort(port)),
    });
    this.#waker = new Waker({
      ports,
      book: this.book,
      entry: () => this.#entry,
      wakeDependencies,
      furtherPorts: () => this.#targets.furtherPorts(),
      grant: (reached, phases, fencesWhenSent) => this.#grant(reached, phases, fencesWhenSent),
      ended: (outcome) => this.#wakeEnded(outcome),
    });
  }

  get entry(): CatalogEntry {
    return this.#entry;
  }

  get policy(): Policy {
    return this.#entry.resource.policy;
  }

  get awake(): boolean {
    return this.book.licensed;
  }

  /** Whether the resource's own traffic was pointed back at it since the last wake. */
  get restored(): boolean {
    return this.#restored;
  }

  get wakeP95Ms(): Milliseconds | undefined {
    return this.#waker.p95;
  }

  /** The last wake that started something or failed. */
  get lastWake(): ScaleEvent | undefined {
    return this.#waker.last;
  }

  /** Time until a request may start a wake again after a failed one, in ms; 0: now. */
  get backoffLeftMs(): Milliseconds {
    return this.#waker.backoffLeftMs;
  }

  get targets(): readonly ReachedTarget[] {
    return this.#targets.list();
  }

  /** It is awake for this DLX, or about to be: what it depends on is needed. */
  get needsOthers(): boolean {
    return this.book.licensed || this.#waker.running !== undefined;
  }

  /** Nothing held, in flight or under way: the gate can be let go of. */
  get quiet(): boolean {
    return this.book.held === 0 && this.book.inFlight === 0 && this.#waker.running === undefined;
  }

  now(): Milliseconds {
    return this.#ports.clock.monotonic();
  }

  /** The catalogue knows something new of the resource. */
  update(entry: CatalogEntry): void {
    const before = this.#mainPort;
    this.#entry = entry;
    this.#mainPort = mainPortOf(entry);
    this.#targets.changed();
    // What was reached is another port: a new claim dials the right one.
    if (before !== undefined && before !== this.#mainPort && this.#targets.size > 0) this.#emptied();
    // Its policy may leave more room now.
    if (this.#room.size > 0) this.#release();
  }

  tryEnter({ activity = true }: EnterOptions = {}, port?: string): Passage | undefined {
    if (!this.book.licensed || (this.#room.size > 0 && this.#nextWaiting() !== undefined) || this.#isOverloaded())
      return undefined;
    const further = this.#furtherPort(port);
    const slot = this.#targets.pick(this.policy.maxConcurrency, further);
    if (slot === undefined || !this.book.enter(activity)) return undefined;
    this.book.arrived();
    return new GatePassage(this, slot, further, activity, undefined);
  }

  async hold(options: HoldOptions): Promise<Passage> {
    this.book.arrived();
    const { arrivedAt, activity = true, patienceMs = Number.POSITIVE_INFINITY, signal, trace } = options;
    const deadline = arrivedAt + Math.min(this.policy.holdTimeout, patienceMs);
    const port = this.#furtherPort(options.port);
    if (activity && this.#holdsNothing()) this.poke("a request came that may not be held");
    this.#refuseIfHopeless(deadline, signal);
    if (port !== undefined && !this.#targets.want(port)) throw this.#noPort(port);
    this.book.hold();
    const passage = this.#room.wait({ arrivedAt, port, activity, deadline, signal });
    this.#ports.sleepGate.cancelSleep(this.#entry.ref);
    this.#level("a request is held", trace === undefined ? {} : { trace });
    this.#release();
    return passage;
  }

  poke(reason = "a browser waits"): void {
    if (this.book.licensed || this.#waker.running !== undefined || this.backoffLeftMs > 0 || this.#closed) return;
    this.book.active();
    this.#ports.sleepGate.cancelSleep(this.#entry.ref);
    void this.#waker.run({ by: "request", reason });
  }

  /**
   * Resolves once this DLX has a licence; `afresh`: once a claim that was sent after this call was accepted. Rejects
   * with what the wake failed with.
   */
  async demand(reason: WakeReason, { afresh = false }: { readonly afresh?: boolean } = {}): Promise<void> {
    if (afresh) await this.#waker.running;
    else if (this.book.licensed) return;
    if (this.#closed) throw new ScalerError("DLX_STOPPING", "the proxy is stopping");
    this.book.active();
    this.#ports.sleepGate.cancelSleep(this.#entry.ref);
    const outcome = await this.#waker.run(reason);
    if (outcome.kind === "failed") throw outcome.error;
  }

  /** Takes the licence away; see `Book.fence`. A request that is held claims at once. */
  fence(): void {
    this.book.fence();
    this.#unlicensed();
    this.#level("a request is held after a fence");
  }

  /** Ends the wake and refuses all that is held. */
  async close(): Promise<void> {
    const stopping = (): ScalerError => new ScalerError("DLX_STOPPING", "the proxy is stopping");
    this.#closed = true;
    this.#room.refuseAll(stopping);
    this.book.revoke();
    this.#unlicensed();
    this.#pace.rest();
    await this.#waker.stop(stopping());
  }

  paced(passage: GatePassage): void {
    if (this.#pace.answered(passage) && this.#room.size > 0) this.#release();
  }

  replace(slot: TargetSlot, port: string | undefined): TargetSlot | undefined {
    this.#targets.unreachable(slot, port);
    return this.book.licensed ? this.#targets.pick(this.policy.maxConcurrency, port) : undefined;
  }

  ended(): void {
    if (this.#room.size > 0) this.#release();
  }

  /** The port by name where it is not the main one. */
  #furtherPort(port: string | undefined): string | undefined {
    return port === this.#mainPort ? undefined : port;
  }

  /** Who is next of those that some target has room for. */
  #nextWaiting(): Waiting | undefined {
    return this.#room.first((port) => this.#targets.hasRoom(this.policy.maxConcurrency, port));
  }

  #noPort(port: string): ScalerError {
    return new ScalerError("DLX_TARGET_UNREACHABLE", `no instance of ${this.key} answers on its port ${port}`);
  }

  #isOverloaded(): boolean {
    const { totals, limits } = this.#ports;
    return totals.held + totals.inFlight >= limits().maxInFlight;
  }

  /** A policy by which no request ever waits: each is refused at once, and wakes the resource for the next one. */
  #holdsNothing(): boolean {
    return this.policy.maxHeld === 0 || this.policy.holdTimeout === 0;
  }

  #refuseIfHopeless(deadline: Milliseconds, signal: AbortSignal): void {
    if (this.#closed) throw new ScalerError("DLX_STOPPING", "the proxy is stopping");
    if (signal.aborted) throw new ScalerError("DLX_CLIENT_GONE", "the client went away");
    if (this.now() >= deadline)
      throw this.#refusal("DLX_WAKE_TIMEOUT", `${this.key} did not wake in time`, this.#usualWakeMs());
    const { totals, limits } = this.#ports;
    if (this.#isOverloaded() || totals.held >= limits().maxHeld)
      throw new ScalerError("DLX_OVERLOADED", "too many requests are open");
    if (this.#room.size >= this.policy.maxHeld)
      throw this.#refusal("DLX_HOLD_FULL", `${this.#room.size} requests wait for ${this.key}`, this.#usualWakeMs());
    const { failure, running } = this.#waker;
    if (failure !== undefined && !this.book.licensed && running === undefined && this.backoffLeftMs > 0)
      throw this.#inBackoff(failure);
  }

  #inBackoff(failure: ScalerError): ScalerError {
    return this.#refusal(failure.code, failure.message, Math.max(1_000, this.backoffLeftMs), failure);
  }

  #refusal(code: ErrorCode, message: string, retryAfterMs: Milliseconds, cause?: ScalerError): ScalerError {
    return new ScalerError(code, message, cause === undefined ? { retryAfterMs } : { retryAfterMs, cause });
  }

  #usualWakeMs(): Milliseconds {
    return this.#waker.p95 ?? unmeasuredWakeMs;
  }

  #left(): void {
    this.book.unhold();
    if (this.#room.size === 0) this.#pace.rest();
  }

  /** Level-triggered: whenever something is held and there is no licence and no wake runs, a wake starts. */
  #level(reason: string, origin: Pick<WakeReason, "trace"> = {}): void {
    if (this.#room.size === 0 || this.book.licensed || this.#waker.running !== undefined || this.#closed) return;
    void this.#waker.run({ by: "request", reason, ...origin });
  }

  #wakeEnded(outcome: WakeOutcome): void {
    if (outcome.kind === "woken") this.#afterWake(outcome.claimed);
    else if (!this.book.licensed) this.#room.refuseAll(() => this.#inBackoff(outcome.error));
    this.#level("a request is held");
  }

  #grant(
    reached: Reached,
    phases: Readonly<Record<string, Milliseconds>> | undefined,
    fencesWhenSent: number,
  ): boolean {
    if (this.#closed || !this.book.grant(fencesWhenSent)) return false;
    this.#woken = phases === undefined ? undefined : { at: this.now(), phases };
    this.#targets.begin(reached);
    this.#release();
    return true;
  }

  /** Releases in order of arrival, as far as the pace and the targets' room go. */
  #release(): void {
    while (this.#room.size > 0 && this.book.licensed && this.#targets.size > 0) {
      if (!this.#pace.allows(this.policy.releaseConcurrency * this.#targets.size)) return;
      const waiting = this.#nextWaiting();
      const slot = waiting && this.#targets.pick(this.policy.maxConcurrency, waiting.port);
      if (slot === undefined || waiting === undefined || !this.book.enter(waiting.activity)) return;
      const cold = this.#coldStart(waiting.arrivedAt);
      const passage = new GatePassage(this, slot, waiting.port, waiting.activity, cold);
      this.#pace.released(passage);
      waiting.admit(passage);
    }
  }

  #coldStart(arrivedAt: Milliseconds): ColdStart {
    const woken = this.#woken !== undefined && arrivedAt <= this.#woken.at ? this.#woken : undefined;
    return { heldMs: this.now() - arrivedAt, woken: woken !== undefined, phases: woken?.phases ?? {} };
  }

  /** With the last target the licence goes, and who is held then claims anew. */
  #emptied(): void {
    this.book.revoke();
    this.#unlicensed();
    this.#level("no target is left");
  }

  #unlicensed(): void {
    this.#targets.end();
    this.#restored = false;
  }

  /** Follow-ups that nobody waits for: the catalogue hears of the wake, and traffic goes back to the resource. */
  #afterWake({ version }: Claim): void {
    const { scaler, ref } = this.#entry;
    const { signal } = this.#targets;
    if (signal === undefined) return;
    if (!scaler.capabilities.watch) void this.#observe();
    const { seesDirect, clock } = this.#ports;
    if (!isDirect(this.#entry, seesDirect)) return;
    const restored = restoreTraffic({ entry: () => this.#entry, version, seesDirect, clock, signal });
    void restored.then((done) => {
      if (!signal.aborted) this.#restored = done;
    });
    this.#ports.logger.debug({ resource: this.key, ref }, "restoring traffic");
  }

  async #observe(): Promise<void> {
    const { scaler, ref } = this.#entry;
    const observe = this.#ports.catalog.beginObservation(scaler, ref);
    const resource = await scaler.getResource(ref).catch(() => undefined);
    if (resource !== undefined) observe(resource);
  }
}
