import { type Milliseconds, ScalerError } from "@dormouse/core";
import type { FakeClock } from "@dormouse/core/testing";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { TimeLine } from "./time-line.ts";
import type { Fate, MessageFault, Weather } from "./weather.ts";

/** A question that one process asks of another, or of the platform. */
export interface Message {
  readonly from: SimulatedProcess;
  /** Left out: the platform, which never rests and never dies. */
  readonly to?: SimulatedProcess;
  /** What is asked, for its fate's name and the time line: `setScale web 0 if 7`. */
  readonly text: string;
  /** Kind of message, for the count of faults. */
  readonly kind: string;
  readonly signal?: AbortSignal | undefined;
  /** It arrives within this, or never. */
  readonly latestMs?: Milliseconds;
  /** Its effect must not happen twice: the transport would not repeat it. */
  readonly neverRepeated?: boolean;
}

/** Told of each message that met a fault. */
type OnFault = (message: Message, fault: MessageFault) => void;

export interface NetworkOptions {
  readonly clock: FakeClock;
  readonly weather: Weather;
  readonly timeLine: TimeLine | undefined;
  readonly onFault: OnFault;
}

/** Carries messages: late, never, twice, with their answers lost, as the weather says. What was sent arrives, whatever becomes of the sender. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #counts = new Map<string, number>();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** Resolves with what the effect returns; rejects with what it throws, `SCALER_UNAVAILABLE` or `SCALER_ABORTED`; or never settles. */
  ask<Answer>(message: Message, effect: () => Answer | Promise<Answer>): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { from, signal, kind } = message;
    if (from.isDead) return promise;
    const onAbort = (): void => reject(new ScalerError("SCALER_ABORTED", `${kind} was given up`));
    if (signal?.aborted === true) onAbort();
    else this.#send(message, effect, { resolve, reject });
    signal?.addEventListener("abort", onAbort, { once: true });
    return promise.finally(() => signal?.removeEventListener("abort", onAbort));
  }

  #send<Answer>(message: Message, effect: () => Answer | Promise<Answer>, caller: Caller<Answer>): void {
    const { clock, onFault } = this.#options;
    const fate = this.#fateOf(message);
    if (fate.fault !== undefined) onFault(message, fate.fault);
    if (fate.fault !== undefined || !isRoutine(message.kind))
      this.#note(message, `asks ${message.text}${fate.fault === undefined ? "" : ` [${fate.fault}]`}`);
    if (fate.fault === "request-lost") {
      if (fate.isBroken) this.#breakOff(message, fate, caller);
      return;
    }
    clock.setTimer(fate.requestMs, () => this.#arrive(message, fate, effect, caller));
    if (fate.fault === "repeated")
      clock.setTimer(fate.requestMs + fate.againMs, () => this.#arrive(message, fate, effect, nobody));
  }

  #arrive<Answer>(message: Message, fate: Fate, effect: () => Answer | Promise<Answer>, caller: Caller<Answer>): void {
    const { to } = message;
    if (to?.isDead === true) return this.#breakOff(message, fate, caller);
    const act = (): void => void this.#answer(message, fate, effect, caller);
    if (to === undefined) act();
    else to.run(act);
  }

  async #answer<Answer>(
    message: Message,
    fate: Fate,
    effect: () => Answer | Promise<Answer>,
    caller: Caller<Answer>,
  ): Promise<void> {
    let settle: () => void;
    try {
      const answer = await effect();
      settle = () => caller.resolve(answer);
    } catch (error) {
      settle = () => caller.reject(error);
    }
    if (message.to?.isDead === true) return;
    if (fate.fault === "answer-lost") {
      if (fate.isBroken) this.#breakOff(message, fate, caller);
      return;
    }
    this.#options.clock.setTimer(fate.answerMs, () => message.from.run(settle));
  }

  #breakOff(message: Message, fate: Fate, caller: Caller<never>): void {
    const error = new ScalerError("SCALER_UNAVAILABLE", `${message.kind}: the connection broke`);
    this.#options.clock.setTimer(fate.answerMs, () => message.from.run(() => caller.reject(error)));
  }

  #fateOf(message: Message): Fate {
    const name = `${message.from.name} ${message.kind}`;
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    const { clock, weather } = this.#options;
    const passing = { text: message.text, at: clock.monotonic(), latestMs: message.latestMs };
    const fate = weather.fateOf(`${name} ${String(count)}`, passing);
    return fate.fault === "repeated" && message.neverRepeated === true ? { ...fate, fault: undefined } : fate;
  }

  #note(message: Message, what: string): void {
    this.#options.timeLine?.add(message.from.name, what);
  }
}

/** Asked every second by everybody: without a fault not worth a line. */
function isRoutine(kind: string): boolean {
  return kind === "activity" || kind === "peers" || kind === "list" || kind === "metrics";
}

interface Caller<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

const nobody: Caller<unknown> = { resolve: () => {}, reject: () => {} };
