import { ScalerError } from "@dormouse/core";
import type { ColdStart, EnterOptions, Gate, HoldOptions, Passage, ReachedTarget } from "../src/gate/passage.ts";

/** What a test asks of one passage. */
export class FakePassage implements Passage {
  readonly cold: ColdStart | undefined;
  target: ReachedTarget;
  responses = 0;
  streams = 0;
  moves = 0;
  ends = 0;
  readonly #gate: FakeGate;

  constructor(gate: FakeGate, target: ReachedTarget, cold: ColdStart | undefined) {
    this.#gate = gate;
    this.target = target;
    this.cold = cold;
  }

  responded(): void {
    this.responses += 1;
  }

  stream(): void {
    this.streams += 1;
  }

  moved(): void {
    this.moves += 1;
  }

  retarget(): ReachedTarget | undefined {
    const next = this.#gate.drop(this.target);
    if (next !== undefined) this.target = next;
    return next;
  }

  end(): void {
    this.ends += 1;
    if (this.ends === 1) this.#gate.inFlight -= 1;
  }
}

interface Waiting {
  readonly options: HoldOptions;
  readonly resolve: (passage: Passage) => void;
  readonly reject: (error: unknown) => void;
}

/** A gate that opens, fails and forgets targets when a test says so. */
export class FakeGate implements Gate {
  readonly key = "local/default/app";
  readonly passages: FakePassage[] = [];
  readonly holds: HoldOptions[] = [];
  readonly entered: (EnterOptions | undefined)[] = [];
  targets: ReachedTarget[] = [];
  awake = false;
  wakeP95Ms: number | undefined;
  pokes = 0;
  inFlight = 0;
  readonly #waiting = new Set<Waiting>();

  get held(): number {
    return this.#waiting.size;
  }

  tryEnter(options?: EnterOptions): Passage | undefined {
    if (!this.awake || this.targets.length === 0) return undefined;
    this.entered.push(options);
    return this.#admit(undefined);
  }

  hold(options: HoldOptions): Promise<Passage> {
    this.holds.push(options);
    return new Promise((resolve, reject) => {
      const waiting = { options, resolve, reject };
      this.#waiting.add(waiting);
      const onAbort = (): void => {
        if (this.#waiting.delete(waiting)) reject(new ScalerError("DLX_CLIENT_GONE", "gone"));
      };
      options.signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  poke(): void {
    this.pokes += 1;
  }

  /** Releases all that are held to these targets and stays open. */
  wake(...targets: ReachedTarget[]): void {
    this.awake = true;
    this.targets = targets;
    for (const waiting of this.#waiting) {
      this.#waiting.delete(waiting);
      waiting.resolve(this.#admit({ heldMs: 12.34, woken: true, phases: { claim: 1.04, "first dial": 5 } }));
    }
  }

  /** Refuses all that are held. */
  refuse(error: ScalerError): void {
    for (const waiting of this.#waiting) {
      this.#waiting.delete(waiting);
      waiting.reject(error);
    }
  }

  /** Forgets a target and gives another one. */
  drop(target: ReachedTarget): ReachedTarget | undefined {
    this.targets = this.targets.filter((one) => one !== target);
    if (this.targets.length === 0) this.awake = false;
    return this.targets[0];
  }

  #admit(cold: ColdStart | undefined): FakePassage {
    const target = this.targets[0];
    if (target === undefined) throw new Error("no target");
    const passage = new FakePassage(this, target, cold);
    this.inFlight += 1;
    this.passages.push(passage);
    return passage;
  }
}
