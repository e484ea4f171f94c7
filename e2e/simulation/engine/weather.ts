import type { Milliseconds } from "@dormouse/core";
import { SeededRandom } from "./seeded-random.ts";

/** What becomes of one message. */
export interface Fate {
  /** Time until it arrives. */
  readonly requestMs: Milliseconds;
  /** Time from its effect to the arrival of its answer. */
  readonly answerMs: Milliseconds;
  /**
   * `request-lost`: it never arrives; `answer-lost`: it has its effect and its sender hears nothing of it; `repeated`: it
   * arrives twice.
   */
  readonly fault: MessageFault | undefined;
  /** Whether the sender of a lost message learns at once that the connection broke, instead of waiting. */
  readonly isBroken: boolean;
  /** How long after the first a repeated one arrives. */
  readonly againMs: Milliseconds;
}

export type MessageFault = "late" | "request-lost" | "answer-lost" | "repeated";

/** Shares of the messages of a run that meet a fault. */
export interface Climate {
  readonly late: number;
  readonly lost: number;
  readonly repeated: number;
  /** The longest that a late message is under way. */
  readonly latestMs: Milliseconds;
}

/** Decides what becomes of messages, each by its own name. */
export class Weather {
  /** Names of the messages that met a fault so far. */
  readonly met: string[] = [];
  readonly #seed: number;
  readonly #climate: Climate;
  readonly #only: ReadonlySet<string> | undefined;
  #isCalm = false;

  /** @param only the messages that may meet a fault; left out: any */
  constructor(seed: number, climate: Climate, only?: ReadonlySet<string>) {
    this.#seed = seed;
    this.#climate = climate;
    this.#only = only;
  }

  /** From here on nothing is lost, late or repeated. */
  calm(): void {
    this.#isCalm = true;
  }

  /** @param latestMs bound on its way to the other side, where there is one */
  fateOf(name: string, latestMs = Number.POSITIVE_INFINITY): Fate {
    const random = new SeededRandom(this.#seed, name);
    const usual = { requestMs: random.between(0.2, 3), answerMs: random.between(0.2, 3) };
    const fate = this.#faultyFate(random, usual, latestMs);
    const isAllowed = !this.#isCalm && (this.#only?.has(name) ?? true);
    if (fate === undefined || !isAllowed) return { ...usual, fault: undefined, isBroken: false, againMs: 0 };
    this.met.push(name);
    return fate;
  }

  #faultyFate(
    random: SeededRandom,
    usual: Pick<Fate, "requestMs" | "answerMs">,
    latestMs: Milliseconds,
  ): Fate | undefined {
    const { late, lost, repeated } = this.#climate;
    const die = random.next();
    const isBroken = random.chance(0.5);
    const again = this.#lateness(random);
    const none = { ...usual, isBroken, againMs: Math.min(again, latestMs) };
    if (die < late) {
      const way = this.#lateness(random);
      const [requestMs, answerMs] = random.chance(0.6)
        ? [Math.min(way, latestMs), usual.answerMs]
        : [usual.requestMs, way];
      return { ...none, requestMs, answerMs, fault: "late" };
    }
    if (die < late + lost) return { ...none, fault: random.chance(0.4) ? "request-lost" : "answer-lost" };
    return die < late + lost + repeated ? { ...none, fault: "repeated" } : undefined;
  }

  /** Mostly a little, sometimes very. */
  #lateness(random: SeededRandom): Milliseconds {
    const { latestMs } = this.#climate;
    return latestMs ** random.between(0.5, 1);
  }
}
