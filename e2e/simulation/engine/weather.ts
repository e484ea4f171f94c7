import type { Milliseconds } from "@dormouse/core";
import { SeededRandom } from "../../harness/seeded-random.ts";

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

/** A time in which all messages of one kind are slow, as behind a server that is busy. */
export interface SlowSpell {
  /** What they begin with: `setScale`, or `setScale web 0`. */
  readonly text: string;
  /** What their senders' names begin with; empty: anybody's. */
  readonly who: string;
  readonly from: Milliseconds;
  readonly until: Milliseconds;
  /** How slow at most. */
  readonly ms: Milliseconds;
}

/** What a message's fate depends on besides its name. */
export interface Passing {
  /** What is asked. */
  readonly text: string;
  /** Monotonic ms at which it is sent. */
  readonly at: Milliseconds;
  /** Bound on its way to the other side; left out: none. */
  readonly latestMs?: Milliseconds | undefined;
}

type Bounded = Passing & { readonly latestMs: Milliseconds };

/** Decides what becomes of messages, each by its own name. */
export class Weather {
  /** Names of the messages that met a fault so far. */
  readonly met: string[] = [];
  readonly #seed: number;
  readonly #climate: Climate;
  readonly #spells: readonly SlowSpell[];
  readonly #only: ReadonlySet<string> | undefined;
  #isCalm = false;

  /** @param only the messages that may meet a fault; left out: any */
  constructor(seed: number, climate: Climate, spells: readonly SlowSpell[], only?: ReadonlySet<string>) {
    this.#seed = seed;
    this.#climate = climate;
    this.#spells = spells;
    this.#only = only;
  }

  get isCalm(): boolean {
    return this.#isCalm;
  }

  /** From here on nothing is lost, late or repeated. */
  calm(): void {
    this.#isCalm = true;
  }

  fateOf(name: string, { text, at, latestMs = Number.POSITIVE_INFINITY }: Passing): Fate {
    const random = new SeededRandom(this.#seed, name);
    const usual = { requestMs: random.between(0.2, 3), answerMs: random.between(0.2, 3) };
    const fair = { ...usual, fault: undefined, isBroken: false, againMs: 0 };
    if (this.#isCalm) return fair;
    const fate = this.#faultyFate(random, usual, latestMs);
    if (fate === undefined || this.#only?.has(name) === false)
      return this.#slowed(name, random, fair, { text, at, latestMs });
    this.met.push(name);
    return fate;
  }

  #slowed(name: string, random: SeededRandom, fair: Fate, { text, at, latestMs }: Bounded): Fate {
    const spell = this.#spells.find(
      (each) => text.startsWith(each.text) && each.from <= at && at < each.until && isFrom(name, each.who),
    );
    if (spell === undefined) return fair;
    const ms = spell.ms * random.between(0.2, 1);
    const isOnItsWay = random.chance(0.6);
    return isOnItsWay
      ? { ...fair, requestMs: Math.min(fair.requestMs + ms, latestMs), fault: "late" }
      : { ...fair, answerMs: fair.answerMs + ms, fault: "late" };
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

/** Where one process is all there is, it is whichever is meant. */
function isFrom(name: string, who: string): boolean {
  return name.startsWith(who) || name.startsWith("host-");
}
