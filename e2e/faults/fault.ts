import type { Random } from "../harness/seeded-random.ts";
import type { Tally } from "./tally.ts";

/** How often a fault is to strike, and when. */
export interface Trials {
  /** Random moments; each step of a wake and a sleep comes a third as often, and once at least. */
  readonly times: number;
  readonly random: Random;
}

/** Something that happens to a running host, to what runs behind it or to its machine. */
export interface Fault {
  /** For `--only`. */
  readonly name: string;
  /** What is done, in the table. */
  readonly title: string;
  /** What this machine lacks for it, and how to get that; left out: nothing is needed. */
  readonly whyNot?: () => string | undefined | Promise<string | undefined>;
  /** Does it again and again under load. What was wrong is in the tally; rejects where it could not go on. */
  run(trials: Trials): Promise<Tally>;
}
